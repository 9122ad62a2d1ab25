"""One migration chain, both databases, no difference from the models."""

import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from deploy.local.postgres import PostgresCluster
from shared.db.check import DEPLOYABLES, ROOT
from shared.db.engine import create_engine
from shared.db.migrations import alembic_config, check, upgrade
from shared.db.revisions import SchemaOutdated, head_revision, require_current_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.create_database(f"migrations_{abs(hash(request.node.nodeid))}")


@pytest.mark.parametrize("deployable", DEPLOYABLES)
def test_models_and_migrations_agree(deployable: str, url: str) -> None:
    migrations = ROOT / deployable / "migrations"
    upgrade(migrations, url)
    check(migrations, url)
    upgrade(migrations, url)  # Again changes nothing.


async def test_an_old_schema_is_refused(url: str) -> None:
    engine = create_engine(url, pool_size=1)
    with pytest.raises(SchemaOutdated):
        await require_current_schema(engine, ROOT / "services/asr/migrations")
    await engine.dispose()


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
