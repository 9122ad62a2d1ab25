"""What a running stack tells scripts and tests: `stack.json` in its run folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from deploy.local.secrets import write_private

StackKind = Literal["embedded", "full"]
FILE = "stack.json"


@dataclass(frozen=True)
class StackInfo:
    """Addresses, files and processes of a stack that is up.

    Attributes:
        kind: `embedded` (SQLite, in-process limits) or `full` (PostgreSQL, Redis).
        gateway_url: Base URL of the only public process.
        services: Base URLs of the replicas of each service: asr, tts, nlp.
        triton: `http` and `metrics` URLs, `grpc` host:port.
        databases: SQLAlchemy URL of each process kind: gateway, asr, tts, nlp.
        redis_url: None in the embedded stack.
        flags_file: Feature flags of the embedded stack, to be edited; None in the full one.
        unleash_url: Flag server of the full stack; its user `admin` has the password in
            `unleash_password_file`.
        unleash_token_file: What a client of Unleash needs.
        admin_key_file: File of an API key with every scope.
        identity_private_key_file: What the gateway signs identity tokens with.
        key_pepper_file: Key of the HMAC that API keys are stored as.
        pids: Process id of each component; changes when one is restarted.
        supervisor_pid: The process that keeps the stack.
        run_dir: Its folder.
        log_dir: One log a component.
    """

    kind: StackKind
    gateway_url: str
    services: dict[str, list[str]]
    triton: dict[str, str]
    databases: dict[str, str]
    redis_url: str | None
    admin_key_file: str
    identity_private_key_file: str
    key_pepper_file: str
    pids: dict[str, int]
    supervisor_pid: int
    run_dir: str
    log_dir: str
    flags_file: str | None = None
    unleash_url: str | None = None
    unleash_token_file: str | None = None
    unleash_password_file: str | None = None

    def save(self, run_dir: Path) -> None:
        """Replaces the file in one step; only its owner can read it."""
        write_private(run_dir / FILE, json.dumps(asdict(self), indent=2).encode() + b"\n")

    @classmethod
    def load(cls, run_dir: Path) -> "StackInfo | None":
        """Reads the file; None when there is none."""
        content = read_json(run_dir / FILE)
        return None if content is None else cls(**content)

    @property
    def admin_key(self) -> str:
        """The API key itself."""
        return Path(self.admin_key_file).read_text().strip()


def read_json(path: Path) -> dict[str, Any] | None:
    """Reads a file another process may replace or remove at any time."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content
