"""Makes the roles and databases that are missing, and gives each role its password.

`python -m deploy.docker.inside.databases`. It may run at any time: what is there stays.

Environment: DATABASE_HOST, DATABASE_PORT and DATABASE_SECRETS, a folder with the file
`postgres-password` and a file for each role.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import asyncpg

from deploy.docker.inside.bootstrap import BACKUP_ROLE, ROLES

_WAIT_S = 60.0
_CALL_TIMEOUT_S = 20.0
# Names and passwords cannot be parameters of these statements; the server quotes them itself.
_MAKE_ROLE = "SELECT format('CREATE ROLE %I LOGIN', $1::text)"
_SET_PASSWORD = "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)"  # noqa: S105 - a statement
_MAKE_DATABASE = (
    "SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0',"
    " $1::text, $1::text)"
)
_LET_REPLICATE = "SELECT format('ALTER ROLE %I REPLICATION', $1::text)"
# Otherwise every role may connect to every database.
_CLOSE_DATABASE = "SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', $1::text)"


async def connect(host: str, port: int, password: str) -> asyncpg.Connection:
    """A connection as the superuser, once the server takes it.

    Raises:
        OSError, asyncpg.PostgresError: It did not within a minute.
    """
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            return await asyncpg.connect(
                host=host,
                port=port,
                user="postgres",
                password=password,
                database="postgres",
                timeout=5.0,
                command_timeout=_CALL_TIMEOUT_S,
            )
        except asyncpg.InvalidPasswordError:
            raise
        except (OSError, asyncpg.PostgresError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


async def make_missing(connection: asyncpg.Connection, passwords: dict[str, str]) -> None:
    """Makes each role and its database.

    Args:
        connection: Of a superuser.
        passwords: By role; the database has the role's name.
    """
    for role, password in passwords.items():
        await _make_role(connection, role, password)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", role):
            await connection.execute(await connection.fetchval(_MAKE_DATABASE, role))
        await connection.execute(await connection.fetchval(_CLOSE_DATABASE, role))
        print(f"database {role} is there", flush=True)


async def make_backup_role(connection: asyncpg.Connection, password: str) -> None:
    """Makes the role by which backups are taken; it has no database."""
    await _make_role(connection, BACKUP_ROLE, password)
    await connection.execute(await connection.fetchval(_LET_REPLICATE, BACKUP_ROLE))


async def _make_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(await connection.fetchval(_MAKE_ROLE, role))
    await connection.execute(await connection.fetchval(_SET_PASSWORD, role, password))


async def run() -> None:
    """Connects, and makes what is missing."""
    folder = Path(os.environ["DATABASE_SECRETS"])
    connection = await connect(
        os.environ["DATABASE_HOST"],
        int(os.environ["DATABASE_PORT"]),
        (folder / "postgres-password").read_text().strip(),
    )
    try:
        passwords = {role: (folder / role).read_text().strip() for role in ROLES}
        await make_missing(connection, passwords)
        backup = folder / BACKUP_ROLE
        if backup.exists():  # Secrets of Kubernetes may be older than it.
            await make_backup_role(connection, backup.read_text().strip())
    finally:
        await connection.close()


if __name__ == "__main__":
    try:
        asyncio.run(run())
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        # The class and the server's words; a statement, and with it a password, is never quoted.
        sys.exit(f"databases: {type(error).__name__}: {error}")
