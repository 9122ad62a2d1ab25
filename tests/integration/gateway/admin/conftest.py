"""The admin API on both databases; with PostgreSQL also the shared key cache."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import Gauge

from deploy.local.postgres import PostgresCluster
from deploy.local.redis import RedisServer
from gateway.cli.environment import Services
from gateway.db.redis import RedisLink
from gateway.db.schema import MIGRATIONS
from gateway.models.keys import KeyLimits
from gateway.repositories.key_cache import RedisKeyCache
from gateway.repositories.store import Database
from gateway.services.accounts import AccountService
from gateway.services.hashing import KeyHasher
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.keys import KeyService
from gateway.services.passwords import PasswordHasher
from gateway.services.plans import PlanService
from shared.db.engine import create_engine
from shared.db.migrations import upgrade
from shared.metrics import Metrics
from tests.integration.gateway.admin.world import World, open_world

HASHER = KeyHasher({1: b"p" * 32}, 1)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def admin_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('admin') / 'gateway.db'}"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        url = cluster.create_database("admin")
    upgrade(MIGRATIONS, url)
    return url


@pytest.fixture
async def world(admin_database: str, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    engine = create_engine(admin_database, pool_size=4)
    link = None
    if admin_database.startswith("postgresql"):
        redis: RedisServer = request.getfixturevalue("redis")
        link = RedisLink(redis.url, Metrics("test"), Gauge("up", "", ["dependency"], registry=None))
    cache = RedisKeyCache(link) if link else None
    database, announcer = Database(engine), KeyAnnouncer(cache, HASHER.current)
    services = Services(
        keys=KeyService(database, HASHER, announcer, KeyLimits(60, 1_000, 10_000)),
        accounts=AccountService.over(database, PasswordHasher(), announcer),
        plans=PlanService(database, announcer),
    )
    async with open_world(services, database, cache) as opened:
        yield opened
    if link:
        await link.close()
    await engine.dispose()
