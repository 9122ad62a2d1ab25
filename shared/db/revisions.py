"""Which revision a database has, and which one the code needs, without Alembic.

Alembic takes 7 MB of memory, which a process that only serves never needs again.
"""

import ast
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

_TABLE = "alembic_version"


class SchemaOutdated(RuntimeError):
    """The database is not at the revision that this code was written for."""


def head_revision(migrations: Path) -> str:
    """The newest revision that this code knows: the one that no other follows.

    Raises:
        ValueError: The revisions are no single line.
    """
    scripts = [_names(path) for path in (migrations / "versions").glob("*.py")]
    followed = {names["down_revision"] for names in scripts}
    heads = [names["revision"] for names in scripts if names["revision"] not in followed]
    if len(heads) != 1 or heads[0] is None:
        raise ValueError(f"{migrations} has {len(heads)} newest revisions")
    return heads[0]


async def require_current_schema(engine: AsyncEngine, migrations: Path) -> None:
    """Refuse to start on another schema.

    Raises:
        SchemaOutdated: Run the deployable's `migrate` first.
    """
    async with engine.connect() as connection:
        found = await connection.run_sync(_current)
    expected = head_revision(migrations)
    if found != expected:
        msg = f"database is at revision {found}, code needs {expected}: run `migrate` first"
        raise SchemaOutdated(msg)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608 - a constant
    return revision


def _names(script: Path) -> dict[str, str | None]:
    """The module-level names of a migration that Alembic reads."""
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.value is not None
        and node.target.id in ("revision", "down_revision")
    }
