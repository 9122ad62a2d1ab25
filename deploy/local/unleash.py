"""The flag server Unleash as a child process, with a database in the stack's cluster."""

import http.client
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from deploy.local.component import Component
from deploy.local.ports import HOST, PortAllocator
from deploy.local.postgres import USER, PostgresCluster
from deploy.local.process import ChildProcess, LauncherError, base_environment
from deploy.local.secrets import write_private

_FOLDER = Path(__file__).parent / "unleash"
DEFAULT_FLAGS = _FOLDER / "flags.json"
"""The flags of a new installation, in the shape of `/api/client/features`."""

DEFAULT_INSTALLATION = Path(__file__).resolve().parents[2] / ".unleash"
ENVIRONMENT = "development"
PROJECT = "default"
_DATABASE = "unleash"
_ADMIN = "/api/admin/projects"
_TIMEOUT_S = 10.0


class UnleashServer(Component):
    """One Unleash on loopback.

    Args:
        run_dir: Folder for its tokens and its log.
        postgres: Where its database is; must be up when this starts.
        port: Address; a free one when None.
        installation: What `setup.sh unleash` made.

    Attributes:
        backend_token_file: What a client needs to read the flags of the environment.
        admin_token_file: What the admin API needs.
    """

    start_timeout_s = 90.0

    def __init__(
        self,
        run_dir: Path,
        postgres: PostgresCluster,
        port: int | None = None,
        *,
        installation: Path = DEFAULT_INSTALLATION,
    ) -> None:
        run_dir = run_dir.resolve()
        super().__init__("unleash", run_dir / "log" / "unleash.log")
        self._allocator = PortAllocator()
        self._postgres = postgres
        self._installation = installation
        self.port = port or self._allocator.lease()
        self.url = self.address = f"http://{HOST}:{self.port}"
        folder = run_dir / "secrets"
        self.backend_token_file = folder / "unleash-backend-token"
        self.admin_token_file = folder / "unleash-admin-token"
        self.password_file = folder / "unleash-admin-password"
        self._session_file = folder / "unleash-session-secret"

    def prepare(self) -> None:
        """Makes its database and its secrets."""
        self.ensure_secrets()
        self._postgres.create_database(_DATABASE)

    def ensure_secrets(self) -> None:
        """Makes the secrets that are missing."""
        prefixes = {
            self.backend_token_file: f"{PROJECT}:{ENVIRONMENT}.",
            self.admin_token_file: "*:*.",
            self.password_file: "",
            self._session_file: "",
        }
        for path, prefix in prefixes.items():
            if not path.exists():
                write_private(path, f"{prefix}{secrets.token_hex(24)}\n".encode())

    def make_process(self) -> ChildProcess:
        """Unleash on loopback only; it tells nobody that it runs."""
        node = self._installation / "bin" / "node"
        program = self._installation / "node_modules" / "unleash-server" / "dist" / "server.js"
        if not (os.access(node, os.X_OK) and program.exists()):
            raise LauncherError(
                "Unleash is not installed: run `bash deploy/local/setup.sh unleash`"
            )
        settings = {
            "NODE_ENV": "production",
            "DATABASE_HOST": HOST,
            "DATABASE_PORT": str(self._postgres.port),
            "DATABASE_USERNAME": USER,
            "DATABASE_PASSWORD": USER,  # The cluster trusts its own machine.
            "DATABASE_NAME": _DATABASE,
            "DATABASE_SSL": "false",
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(self.port),
            "UNLEASH_URL": self.url,
            "UNLEASH_SECRET": _read(self._session_file),
            "UNLEASH_DEFAULT_ADMIN_USERNAME": "admin",
            "UNLEASH_DEFAULT_ADMIN_PASSWORD": _read(self.password_file),
            "INIT_ADMIN_API_TOKENS": _read(self.admin_token_file),
            "INIT_BACKEND_API_TOKENS": _read(self.backend_token_file),
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "LOG_LEVEL": "warn",
        }
        return ChildProcess([str(node), str(program)], base_environment() | settings, self.log)

    def probe(self) -> bool:
        """Whether /health says 200."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2.0)
        try:
            connection.request("GET", "/health", headers={"Connection": "close"})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def on_ready(self) -> None:
        """Makes the default flags that are missing; those that are there stay as they are."""
        for feature in json.loads(DEFAULT_FLAGS.read_bytes())["features"]:
            self.add_feature(feature)

    def features(self) -> dict[str, Any]:
        """What clients of the environment are told: the document of `/api/client/features`."""
        path = "/api/client/features"
        found: dict[str, Any] = self._call("GET", path, token=self.backend_token_file)
        return found

    def add_feature(self, feature: dict[str, Any]) -> bool:
        """Makes a feature of a `/api/client/features` document; False when the name exists."""
        path = f"{_ADMIN}/{PROJECT}/features"
        described = {key: feature[key] for key in ("name", "type", "description") if key in feature}
        if self._status("POST", path, described) == http.client.CONFLICT:
            return False
        for strategy in feature.get("strategies", ()):
            self.add_strategy(feature["name"], strategy)
        if feature.get("enabled"):
            self.switch(feature["name"], on=True)
        return True

    def add_strategy(self, name: str, strategy: dict[str, Any]) -> str:
        """Adds a strategy to a feature and returns its id."""
        path = f"{self._environment(name)}/strategies"
        added = self._call("POST", path, _complete(strategy))
        return str(added["id"])

    def strategies(self, name: str) -> list[dict[str, Any]]:
        """The strategies of a feature."""
        found: list[dict[str, Any]] = self._call("GET", f"{self._environment(name)}/strategies")
        return found

    def replace_strategies(self, name: str, strategies: list[dict[str, Any]]) -> None:
        """Gives a feature other strategies, each in place of an old one.

        Without any in between: a feature that is on and has none is on for everybody.
        """
        old = [f"{self._environment(name)}/strategies/{one['id']}" for one in self.strategies(name)]
        for path, strategy in zip(old, strategies, strict=False):
            self._call("PUT", path, _complete(strategy))
        for strategy in strategies[len(old) :]:
            self.add_strategy(name, strategy)
        for path in old[len(strategies) :]:
            self._call("DELETE", path)

    def switch(self, name: str, *, on: bool) -> None:
        """Switches a feature on or off."""
        self._call("POST", f"{self._environment(name)}/{'on' if on else 'off'}")

    def archive(self, name: str) -> None:
        """Takes a feature away."""
        self._call("DELETE", f"{_ADMIN}/{PROJECT}/features/{name}")

    def purge(self) -> None:
        """Stops the server and removes its secrets; the database goes with the cluster."""
        self.stop()
        for path in (
            self.backend_token_file,
            self.admin_token_file,
            self.password_file,
            self._session_file,
        ):
            path.unlink(missing_ok=True)

    def _environment(self, name: str) -> str:
        return f"{_ADMIN}/{PROJECT}/features/{name}/environments/{ENVIRONMENT}"

    def _call(self, method: str, path: str, body: object = None, token: Path | None = None) -> Any:
        status, content = self._exchange(method, path, body, token)
        if status >= http.client.BAD_REQUEST:
            text = content[:300].decode(errors="replace")
            raise LauncherError(f"Unleash: {method} {path}: {status} {text}")
        return json.loads(content) if content.startswith((b"{", b"[")) else None

    def _status(self, method: str, path: str, body: object) -> int:
        status, content = self._exchange(method, path, body, None)
        if status >= http.client.BAD_REQUEST and status != http.client.CONFLICT:
            text = content[:300].decode(errors="replace")
            raise LauncherError(f"Unleash: {method} {path}: {status} {text}")
        return status

    def _exchange(
        self, method: str, path: str, body: object, token: Path | None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_TIMEOUT_S)
        headers = {
            "Authorization": _read(token or self.admin_token_file),
            "Content-Type": "application/json",
            "Connection": "close",
        }
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise LauncherError(f"Unleash: {method} {path}: {error}") from error
        finally:
            connection.close()


def ensure_flags_file(path: Path) -> Path:
    """Makes the flags file of an embedded stack if it is missing; an edited one stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        shutil.copyfile(DEFAULT_FLAGS, partial)
        partial.replace(path)
    return path


def _complete(strategy: dict[str, Any]) -> dict[str, Any]:
    """With what the admin API wants and the clients' document leaves out."""
    variants = [{"weightType": "variable", **v} for v in strategy.get("variants", ())]
    return {**strategy, "variants": variants}


def _read(path: Path) -> str:
    return path.read_text().strip()
