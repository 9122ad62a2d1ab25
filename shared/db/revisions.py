"""Which revision a database has, and which one the code needs, without Alembic.

Alembic takes 7 MB of memory, which a process that only serves never needs again.
"""

import ast
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import READ_ONLY

_TABLE = "alembic_version"


class SchemaOutdated(RuntimeError):
    """The database is not yet at the revision that this code was written for."""


class Standing(Enum):
    """How a database's schema compares with the code."""

    CURRENT = "current"
    OUTDATED = "outdated"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revisions of a database and of the code.

    Attributes:
        found: Of the database; None for one that was never migrated.
        expected: The newest one that the code knows.
        standing: How they compare.
    """

    found: str | None
    expected: str
    standing: Standing

    def __str__(self) -> str:
        """For people."""
        return f"database is at revision {self.found}, code needs {self.expected}"


def head_revision(migrations: Path) -> str:
    """The newest revision that this code knows: the one that no other follows.

    Raises:
        ValueError: The revisions are no single line.
    """
    return _line_of(migrations)[0]


def known_revisions(migrations: Path) -> frozenset[str]:
    """Every revision that this code knows.

    Raises:
        ValueError: The revisions are no single line.
    """
    return _line_of(migrations)[1]


async def schema_state(engine: AsyncEngine, migrations: Path) -> SchemaState:
    """How a database stands to the code.

    A revision that the code does not know is one of a later release: all releases share one line
    of revisions, and the code knows those up to its own. Releases only add to a schema that others
    still use (docs/operations/migrations.md), so that a newer one serves this code as well.

    Raises:
        Exception: The driver's own: the database does not answer.
    """
    expected, known = _line_of(migrations)
    async with engine.connect() as connection:
        reader = await connection.execution_options(**{READ_ONLY: True})
        found = await reader.run_sync(current_revision)
    if found == expected:
        standing = Standing.CURRENT
    elif found is None or found in known:
        standing = Standing.OUTDATED
    else:
        standing = Standing.NEWER
    return SchemaState(found, expected, standing)


async def require_schema(engine: AsyncEngine, migrations: Path) -> SchemaState:
    """Refuse to work on a schema that lacks something.

    Raises:
        SchemaOutdated: Run the deployable's `migrate` first.
    """
    state = await schema_state(engine, migrations)
    if state.standing is Standing.OUTDATED:
        raise SchemaOutdated(f"{state}: run `migrate` first")
    return state


def current_revision(connection: Connection) -> str | None:
    """The revision of a database; None for one that was never migrated."""
    if not inspect(connection).has_table(_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608 - a constant
    return revision


def _line_of(migrations: Path) -> tuple[str, frozenset[str]]:
    """The newest revision, and all of them."""
    scripts = [_names(path) for path in (migrations / "versions").glob("*.py")]
    followed = {names["down_revision"] for names in scripts}
    heads = [names["revision"] for names in scripts if names["revision"] not in followed]
    if len(heads) != 1 or heads[0] is None:
        raise ValueError(f"{migrations} has {len(heads)} newest revisions")
    return heads[0], frozenset(filter(None, (names["revision"] for names in scripts)))


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
