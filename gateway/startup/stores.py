"""The database, and Redis where there is one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.db.dependency import Dependency
from gateway.db.redis import RedisLink
from gateway.db.schema import MIGRATIONS
from gateway.repositories.store import Database
from gateway.settings import GatewaySettings
from shared.db.engine import create_engine
from shared.db.waiting import wait_for_schema
from shared.health import Health
from shared.metrics import Metrics
from shared.telemetry.statements import trace_statements


@dataclass(frozen=True, slots=True)
class Stores:
    """Where state is.

    Attributes:
        database: The truth.
        database_state: Whether it answers.
        redis: None in the embedded stack.
    """

    database: Database
    database_state: Dependency
    redis: RedisLink | None


@asynccontextmanager
async def open_stores(
    settings: GatewaySettings, health: Health, metrics: Metrics
) -> AsyncIterator[Stores]:
    """Connect, and probe both from then on.

    Raises:
        SchemaOutdated: Nobody ran `migrate` in time.
    """
    async with AsyncExitStack() as stack:
        engine = create_engine(settings.database_url, pool_size=settings.database_pool_size)
        stack.push_async_callback(engine.dispose)
        if settings.otlp_endpoint:
            trace_statements(engine)
        await wait_for_schema(
            engine,
            MIGRATIONS,
            timeout_s=settings.database_wait_s,
            given_up=lambda: health.draining,
        )
        database = Database(engine)
        state = Dependency("database", database.ping, metrics.dependency_up)
        state.start()
        stack.push_async_callback(state.stop)
        health.add("database", database.ping, critical=False)
        link: RedisLink | None = None
        if settings.redis_url:
            link = RedisLink(settings.redis_url, metrics, metrics.dependency_up)
            link.dependency.start()
            stack.push_async_callback(link.close)
            health.add("redis", link.ping, critical=False)
        yield Stores(database, state, link)
