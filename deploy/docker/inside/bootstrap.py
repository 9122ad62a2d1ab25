"""Makes the secrets of an installation that are missing, each where its one reader finds it.

`python -m deploy.docker.inside.bootstrap [FOLDER]`, /secrets unless told otherwise. Below it is a
folder a reader, each a volume of its own: a service sees its own secrets alone.

What is random is made once and never replaced. What follows from it (the public half of a key
pair, addresses with passwords in them) is written again when it differs. So a secret is changed
by deleting its file and running this again; what that takes elsewhere is in the guide.
"""

import os
import secrets
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.crypto.keyring import new_key_line

SERVICES = ("asr", "tts", "nlp")
READERS = ("gateway", *SERVICES, "postgres", "backup", "redis", "unleash", "grafana")
ROLES = {
    **{f"speechgate_{kind}": kind for kind in ("gateway", *SERVICES)},
    "unleash": "unleash",
}
"""Role of PostgreSQL, which is also the name of its database → who uses it."""

BACKUP_ROLE = "speechgate_backup"
"""It has no database: it may read the write-ahead log, and with it everything."""

DATABASE_HOST = "postgres:5432"
REDIS_HOST = "redis:6379"
REDIS_USER = "speechgate"
FLAG_ENVIRONMENT = "development"
_MODE = 0o440  # PostgreSQL and Grafana read theirs as members of the group.
_SECRET_BYTES = 32


def _word() -> bytes:
    """A random word that needs no quoting anywhere."""
    return secrets.token_hex(24).encode()


def write(path: Path, content: bytes) -> None:
    """Replaces a file in one step; at no time can another account read it."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), _MODE)
    partial.replace(path)


class Secrets:
    """The secrets below a folder.

    Attributes:
        made: Names of the files that were written, in order.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.made: list[str] = []

    def random(self, name: str, make: Callable[[], bytes] = _word) -> bytes:
        """The content of a file, made if it is missing."""
        path = self.root / name
        if not path.exists():
            self._write(name, make())
        return path.read_bytes()

    def derived(self, name: str, content: bytes) -> None:
        """Writes what follows from other secrets, where it differs."""
        path = self.root / name
        if not path.exists() or path.read_bytes() != content:
            self._write(name, content)

    def _write(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        write(path, content)
        self.made.append(name)


def _private_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public_key(private: bytes) -> bytes:
    key = serialization.load_pem_private_key(private, password=None)
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _databases(found: Secrets) -> None:
    """A role with a password of its own for each user of the database server."""
    found.random("postgres/postgres-password")
    for role, reader in ROLES.items():
        password = found.random(f"postgres/{role}").decode()
        scheme = "postgres" if reader == "unleash" else "postgresql+asyncpg"
        url = f"{scheme}://{role}:{password}@{DATABASE_HOST}/{role}"
        found.derived(f"{reader}/database-url", url.encode())
    host, _, port = DATABASE_HOST.partition(":")
    password = found.random(f"postgres/{BACKUP_ROLE}").decode()
    # Of libpq, for which a file of passwords that a group may read is as good as none.
    service = {"host": host, "port": port, "user": BACKUP_ROLE, "password": password}
    lines = [f"{key}={value}\n" for key, value in service.items()]
    found.derived("backup/pg_service.conf", "".join(["[backup]\n", *lines]).encode())


def _redis(found: Secrets) -> None:
    """Who has no password may only ask whether it is alive, for the health check."""
    password = found.random("redis/password")
    found.derived(
        "redis/users.acl",
        b"user default on nopass resetkeys resetchannels -@all +ping\n"
        + f"user {REDIS_USER} on #{sha256(password).hexdigest()} ".encode()
        + b"~* &* +@all -@admin -@dangerous +info\n",
    )
    url = f"redis://{REDIS_USER}:{password.decode()}@{REDIS_HOST}/0"
    found.derived("gateway/redis-url", url.encode())


def _unleash(found: Secrets) -> None:
    """The flag server reads its secrets from its environment alone: a file for the shell."""
    backend = found.random(
        "gateway/unleash-token", lambda: f"default:{FLAG_ENVIRONMENT}.".encode() + _word()
    )
    admin = found.random("unleash/admin-token", lambda: b"*:*." + _word())
    variables = {
        "UNLEASH_SECRET": found.random("unleash/session-secret"),
        "UNLEASH_DEFAULT_ADMIN_PASSWORD": found.random("unleash/admin-password"),
        "INIT_ADMIN_API_TOKENS": admin,
        "INIT_BACKEND_API_TOKENS": backend,
    }
    lines = [f"export {name}='{value.decode()}'\n" for name, value in variables.items()]
    found.derived("unleash/environment", "".join(lines).encode())


def make_missing(root: Path) -> list[str]:
    """Makes what is missing below a folder.

    Returns:
        The names of the files that were written.
    """
    found = Secrets(root)
    private = found.random("gateway/identity.pem", _private_key)
    for service in SERVICES:
        found.derived(f"{service}/identity.pub.pem", _public_key(private))
    found.random("gateway/key-pepper", lambda: secrets.token_bytes(_SECRET_BYTES))
    found.random("asr/data-keys", lambda: new_key_line("1").encode())
    _databases(found)
    _redis(found)
    _unleash(found)
    found.random("grafana/admin-password")
    return found.made


def main(arguments: list[str]) -> None:
    """Makes what is missing and says which files that was, never what is in them."""
    made = make_missing(Path(arguments[0] if arguments else "/secrets"))
    print("\n".join(f"made {name}" for name in made) or "nothing was missing", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
