"""One migration chain, both databases, no difference from the models."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.postgres import PostgresCluster
from shared.db import waiting
from shared.db.check import DEPLOYABLES, ROOT
from shared.db.engine import create_engine
from shared.db.migrations import LOCK_TIMEOUT_S, alembic_config, check, upgrade
from shared.db.revisions import (
    SchemaOutdated,
    Standing,
    head_revision,
    known_revisions,
    require_schema,
    schema_state,
)
from shared.db.waiting import wait_for_schema
from tests.support.logs import logged_by


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.create_database(f"migrations_{abs(hash(request.node.nodeid))}")


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """For one connection to it."""
    made = create_engine(url, pool_size=1)
    yield made
    await made.dispose()


@pytest.mark.parametrize("deployable", DEPLOYABLES)
def test_models_and_migrations_agree(deployable: str, url: str) -> None:
    migrations = ROOT / deployable / "migrations"
    upgrade(migrations, url)
    check(migrations, url)
    upgrade(migrations, url)  # Again changes nothing.


async def test_an_old_schema_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(SchemaOutdated):
        await require_schema(engine, ROOT / "services/asr/migrations")


ASR = ROOT / "services/asr/migrations"
LATER = """
from alembic import op
revision: str = "9999"
down_revision: str | None = "{head}"
def upgrade() -> None:
    op.execute("ALTER TABLE asr_requests ADD COLUMN later INTEGER")
"""


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a release after this one."""
    folder = tmp_path / "later"
    shutil.copytree(ASR, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions/9999_later.py").write_text(LATER.format(head=head_revision(ASR)))
    return folder


async def state_of(engine: AsyncEngine) -> Standing:
    return (await schema_state(engine, ASR)).standing


async def test_the_schema_of_a_later_release_is_taken_as_it_is(
    url: str, engine: AsyncEngine, later: Path
) -> None:
    """What a rollout that is undone leaves behind."""
    assert await state_of(engine) is Standing.OUTDATED
    await asyncio.to_thread(upgrade, ASR, url)
    assert await state_of(engine) is Standing.CURRENT
    assert (await schema_state(engine, later)).standing is Standing.OUTDATED
    await asyncio.to_thread(upgrade, later, url)
    assert await state_of(engine) is Standing.NEWER
    with logged_by(waiting) as logs:
        found = await wait_for_schema(engine, ASR, timeout_s=0)
    assert (found.found, found.standing) == ("9999", Standing.NEWER)
    assert [line["event"] for line in logs] == ["the schema is of a later release"]
    await asyncio.to_thread(upgrade, ASR, url)  # The older release's Job, run again.
    assert (await require_schema(engine, later)).standing is Standing.CURRENT


async def test_a_migration_that_comes_late_is_waited_for(url: str, engine: AsyncEngine) -> None:
    with logged_by(waiting) as logs:
        task = asyncio.create_task(wait_for_schema(engine, ASR, timeout_s=60))
        await asyncio.sleep(1.2)
        assert not task.done()
        await asyncio.to_thread(upgrade, ASR, url)
        async with asyncio.timeout(5):
            assert (await task).standing is Standing.CURRENT
    events = [(line["event"], line["log_level"]) for line in logs]
    assert events == [("waiting for the database", "warning"), ("the database is ready", "info")]
    assert logs[0]["until"] == "migration"


async def test_the_wait_ends(engine: AsyncEngine) -> None:
    began = time.monotonic()
    with pytest.raises(SchemaOutdated):
        await wait_for_schema(engine, ASR, timeout_s=1.2)
    assert 0.5 <= time.monotonic() - began <= 3.0
    began = time.monotonic()
    with pytest.raises(SchemaOutdated):
        await wait_for_schema(engine, ASR, timeout_s=60, given_up=lambda: True)
    assert time.monotonic() - began <= 2.0


async def test_a_migration_does_not_wait_long_for_a_lock(
    postgres: PostgresCluster, later: Path
) -> None:
    """Whoever comes after a statement that waits for a table would wait as well."""
    url = postgres.create_database("migrations_locked")
    await asyncio.to_thread(upgrade, ASR, url)
    engine = create_engine(url, pool_size=1)
    async with engine.connect() as reader:
        await reader.exec_driver_sql("BEGIN")
        await reader.exec_driver_sql("SELECT * FROM asr_requests")
        began = time.monotonic()
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.to_thread(upgrade, later, url)
        assert time.monotonic() - began < LOCK_TIMEOUT_S + 5
    assert await state_of(engine) is Standing.CURRENT  # Nothing is left of the attempt.
    await asyncio.to_thread(upgrade, later, url)
    await engine.dispose()


def test_revisions_are_one_line() -> None:
    for deployable in DEPLOYABLES:
        migrations = ROOT / deployable / "migrations"
        assert head_revision(migrations) == max(known_revisions(migrations))


def test_head_is_known() -> None:
    for deployable in DEPLOYABLES:
        migrations = ROOT / deployable / "migrations"
        script = ScriptDirectory.from_config(alembic_config(migrations, ""))
        assert head_revision(migrations) == script.get_current_head()


def test_sqlite_is_prepared_for_concurrency(tmp_path: Path) -> None:
    path = tmp_path / "asr.db"
    upgrade(ROOT / "services/asr/migrations", f"sqlite+aiosqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
