"""What every inference service opens at its start and closes, in reverse, at its end."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import create_engine, ping
from shared.db.group_commit import GroupCommitWriter
from shared.db.rows import batch_inserter
from shared.db.spool import Spool
from shared.db.waiting import wait_for_schema
from shared.health import Health
from shared.metrics import Metrics
from shared.settings import ServiceSettings
from shared.telemetry.statements import trace_statements
from shared.triton.client import TritonClient


@dataclass(frozen=True, slots=True)
class Platform:
    """Database and inference server of a service."""

    engine: AsyncEngine
    writer: GroupCommitWriter
    triton: TritonClient


@asynccontextmanager
async def open_platform(
    settings: ServiceSettings,
    *,
    migrations: Path,
    tables: Sequence[Table],
    models: Iterable[str],
    health: Health,
    metrics: Metrics,
) -> AsyncIterator[Platform]:
    """Open database, writer and Triton client, and register their health checks.

    Args:
        settings: Of the service.
        migrations: Folder of its Alembic scripts.
        tables: That it writes, parents before children.
        models: Triton models it cannot work without.
        health: Where the checks are registered: models are critical; the database is not, for
            the spool takes its place.
        metrics: Of the process.

    Raises:
        SchemaOutdated: Nobody ran `migrate` in time.
    """
    engine = create_engine(settings.database_url, pool_size=settings.database_pool_size)
    if settings.otlp_endpoint:
        trace_statements(engine)
    triton = TritonClient(settings.triton_url, settings.triton_timeout_s, metrics)
    wanted = sorted(set(models))
    try:
        await wait_for_schema(
            engine,
            migrations,
            timeout_s=settings.database_wait_s,
            given_up=lambda: health.draining,
        )
        spool = await asyncio.to_thread(Spool, settings.spool_dir)
        insert = batch_inserter(engine, {table.name: table for table in tables})
        writer = GroupCommitWriter(insert, spool, metrics, system=engine.dialect.name)
        health.add("database", lambda: ping(engine), critical=False, dependency="database")
        health.add(
            "triton",
            lambda: triton.require_models(wanted),
            critical=True,
            dependency="triton",
        )
        await writer.start()
        try:
            yield Platform(engine, writer, triton)
        finally:
            await writer.stop()
    finally:
        await triton.close()
        await engine.dispose()
