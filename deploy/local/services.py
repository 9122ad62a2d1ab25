"""The product's own processes: command, environment, readiness, migrations, admin key."""

import hashlib
import http.client
import json
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from deploy.local import procfs
from deploy.local.component import Component
from deploy.local.info import read_json
from deploy.local.ports import HOST
from deploy.local.process import (
    ChildProcess,
    LauncherError,
    StoppedError,
    base_environment,
    tail,
    wait_until,
)
from deploy.local.secrets import write_private

PROJECT = Path(__file__).resolve().parents[2]
MODULES = {
    "gateway": "gateway",
    "asr": "services.asr",
    "tts": "services.tts",
    "nlp": "services.nlp",
}
SERVICES = ("asr", "tts", "nlp")
_DEFAULT_GRACE_S = 30.0
_ONE_SHOT_TIMEOUT_S = 60.0


def product_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a product process: the settings, each `SPEECHGATE_…`."""
    named = {f"SPEECHGATE_{name.upper()}": value for name, value in settings.items()}
    # When the tests measure coverage, the processes they start are part of it.
    coverage = {name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_")}
    return base_environment() | {"PYTHONUNBUFFERED": "1"} | coverage | named


class ServiceProcess(Component):
    """The gateway, or one replica of a service.

    Args:
        name: Its name in the stack (`asr-2`).
        kind: gateway, asr, tts or nlp.
        env: Its whole environment.
        port: Where it listens, on loopback.
        log: Its log.
    """

    start_timeout_s = 60.0

    def __init__(self, name: str, kind: str, env: Mapping[str, str], port: int, log: Path) -> None:
        super().__init__(name, log)
        self.kind = kind
        self.env = dict(env)
        self.port = port
        self.address = f"http://{HOST}:{port}"

    def make_process(self) -> ChildProcess:
        """The process serving; it drains its requests when asked to end."""
        command = [sys.executable, "-m", MODULES[self.kind], "serve"]
        grace = float(self.env.get("SPEECHGATE_SHUTDOWN_GRACE_S", _DEFAULT_GRACE_S))
        return ChildProcess(command, self.env, self.log, PROJECT, grace_s=grace + 5.0)

    def probe(self) -> bool:
        """Whether /ready says 200; where others share its port, one of them may answer."""
        shared = self.env.get("SPEECHGATE_REUSE_PORT", "0").lower() in ("1", "true", "yes", "on")
        if shared and not procfs.listens(self.pid or 0, self.port):
            return False
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2.0)
        try:
            connection.request("GET", "/ready", headers={"Connection": "close"})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def run_once(
    arguments: list[str], env: Mapping[str, str], output: Path, cancelled: threading.Event
) -> None:
    """Runs a Python module of the product to its end.

    Raises:
        LauncherError: It failed; with the end of its output.
    """
    process = ChildProcess([sys.executable, "-m", *arguments], env, output, PROJECT)
    process.start()
    try:
        wait_until(lambda: cancelled.is_set() or not process.running, _ONE_SHOT_TIMEOUT_S)
        hung = process.running
    finally:
        process.stop(grace_s=0)
    if cancelled.is_set():
        raise StoppedError("the start was given up")
    if hung or process.returncode != 0:
        how = f"hung for {_ONE_SHOT_TIMEOUT_S:.0f} s" if hung else f"exit {process.returncode}"
        raise LauncherError(f"{' '.join(arguments[:3])}: {how}:\n{tail(output)}")


@dataclass(frozen=True)
class Migration:
    """Brings one database to the newest schema, without a process when it has it already.

    Attributes:
        kind: Whose database.
        env: Environment of the process that migrates.
        log: Its log.
        note: File that tells which revision which migrations lead to.
        revision: Reads the database's revision; None when it has none.
    """

    kind: str
    env: Mapping[str, str]
    log: Path
    note: Path
    revision: Callable[[], str | None]

    def run(self, cancelled: threading.Event) -> bool:
        """Migrates if need be; True when the database was new."""
        folder = PROJECT / MODULES[self.kind].replace(".", "/") / "migrations"
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
        before = self.revision()
        known = read_json(self.note)
        if before is not None and known == {"digest": digest.hexdigest(), "revision": before}:
            return False
        run_once([MODULES[self.kind], "migrate"], self.env, self.log, cancelled)
        after = {"digest": digest.hexdigest(), "revision": self.revision()}
        write_private(self.note, json.dumps(after).encode())
        return before is None


def sqlite_revision(path: Path) -> str | None:
    """The Alembic revision of a SQLite file; None when it has none."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path)) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def create_admin_key(
    env: Mapping[str, str], target: Path, log: Path, cancelled: threading.Event
) -> None:
    """Makes an API key with every scope and writes it to a file only its owner reads."""
    output = target.with_name(f".{target.name}.out")
    write_private(output, b"")  # private from the first byte, and never in a log
    limits = {"minute": 100_000, "hour": 1_000_000, "day": 10_000_000}
    arguments = ["gateway.cli", "keys", "create", "--name", "local-admin", "--scope", "*"]
    for period, limit in limits.items():
        arguments += [f"--per-{period}", str(limit)]
    try:
        run_once([*arguments, "--json"], env, output, cancelled)
        key = _key_in(output.read_text())
    except LauncherError as error:
        with log.open("a") as file:
            file.write(f"{error}\n")
        raise
    finally:
        output.unlink(missing_ok=True)
    write_private(target, f"{key}\n".encode())


def _key_in(output: str) -> str:
    """Finds the key in the command's output: JSON on one line or several, beside log lines."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    for text in (*lines, output[output.find("{") : output.rfind("}") + 1]):
        try:
            content = json.loads(text)
        except ValueError:
            continue
        if isinstance(content, dict) and isinstance(content.get("key"), str):
            return str(content["key"])
    raise LauncherError("gateway.cli keys create: no key in its output")
