"""The schema, on SQLite and PostgreSQL alike."""

import asyncio
from pathlib import Path

import pytest
from alembic import command

from deploy.local.postgres import PostgresCluster
from gateway.db.schema import MIGRATIONS
from shared.db.engine import create_engine
from shared.db.migrations import alembic_config, check, upgrade
from shared.db.revisions import SchemaOutdated, require_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = f"migrations_{abs(hash(request.node.name)) % 10_000_000}"
    return cluster.create_database(name)


def test_upgrade_makes_what_the_models_say_and_can_be_undone(url: str) -> None:
    upgrade(MIGRATIONS, url)
    check(MIGRATIONS, url)
    command.downgrade(alembic_config(MIGRATIONS, url), "base")
    upgrade(MIGRATIONS, url)
    check(MIGRATIONS, url)


def test_the_gateway_refuses_an_empty_database(url: str) -> None:
    async def start() -> None:
        engine = create_engine(url)
        try:
            await require_schema(engine, MIGRATIONS)
        finally:
            await engine.dispose()

    with pytest.raises(SchemaOutdated, match="migrate"):
        asyncio.run(start())
