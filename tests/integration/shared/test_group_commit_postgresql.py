"""Group commit on a real PostgreSQL that is killed in the middle of the work."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import String, Table, Text, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column

from deploy.local.postgres import PostgresCluster
from shared.db import group_commit
from shared.db.base import Base, JsonDocument, new_id, new_metadata
from shared.db.engine import create_engine
from shared.db.group_commit import GroupCommitWriter
from shared.db.rows import batch_inserter
from shared.db.spool import Spool
from shared.metrics import Metrics
from shared.problem import Unavailable
from tests.support.logs import logged_by
from tests.support.poll import eventually


class _Base(Base):
    __abstract__ = True
    metadata = new_metadata()


class Note(_Base):
    __tablename__ = "notes"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    words: Mapped[str | None] = mapped_column(Text)
    finding: Mapped[dict[str, object] | None] = mapped_column(JsonDocument)


NOTES: Table = _Base.metadata.tables["notes"]


@pytest.fixture
async def engine(postgres: PostgresCluster) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(postgres.create_database("notes"))
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.drop_all)
        await connection.run_sync(_Base.metadata.create_all)
    yield engine
    await engine.dispose()


async def test_every_acknowledged_row_is_there_after_a_kill(
    postgres: PostgresCluster, engine: AsyncEngine, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    writer = GroupCommitWriter(
        batch_inserter(engine, {"notes": NOTES}), spool, Metrics("test"), replay_interval_s=0.05
    )
    await writer.start()
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def client() -> None:
        while not stop.is_set():
            identifier = new_id()
            await writer.write({"notes": [{"id": identifier}]})
            acknowledged.append(identifier)

    clients = [asyncio.create_task(client()) for _ in range(16)]
    await eventually(lambda: len(acknowledged) > 200, timeout_s=20)
    await asyncio.to_thread(postgres.kill, signal.SIGKILL)
    before = len(acknowledged)
    await eventually(lambda: len(acknowledged) > before + 200, timeout_s=20)
    assert spool.depth() > 0
    await asyncio.to_thread(postgres.restart)
    stop.set()
    await asyncio.gather(*clients)
    await eventually(lambda: spool.depth() == 0, timeout_s=20)
    await writer.stop()
    async with engine.connect() as connection:
        stored = set((await connection.execute(select(NOTES.c.id))).scalars())
    assert set(acknowledged) == stored


async def test_a_row_that_is_refused_is_not_quoted_in_logs(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    writer = GroupCommitWriter(
        batch_inserter(engine, {"notes": NOTES}), Spool(tmp_path / "spool"), Metrics("test")
    )
    await writer.start()
    too_long = {"notes": [{"id": "what somebody said " * 3}]}
    with logged_by(group_commit) as logs, pytest.raises(Unavailable) as refused:
        await writer.write(too_long)
    await writer.stop()
    assert refused.value.code == "storage_failed"
    assert [entry["error"] for entry in logs] == ["DBAPIError 22001"]
    assert "somebody" not in str(logs)


async def test_a_nul_costs_no_row(engine: AsyncEngine, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    # As an earlier version may have left it.
    left = {"id": new_id(), "words": "left\0 over", "finding": {"a": ["\0"]}}
    spool.append({"notes": [left]})
    writer = GroupCommitWriter(
        batch_inserter(engine, {"notes": NOTES}), spool, Metrics("test"), replay_interval_s=0.05
    )
    await writer.start()
    made = {"id": new_id(), "words": "a\0b", "finding": {"\0": {"quote": "\\u0000 \0"}}}
    plain = {"id": new_id(), "words": "c", "finding": None}
    await asyncio.gather(*(writer.write({"notes": [row]}) for row in (made, plain)))
    await eventually(lambda: spool.depth() == 0, timeout_s=10)
    await writer.stop()
    async with engine.connect() as connection:
        stored = {row.id: row for row in await connection.execute(select(NOTES))}
    assert set(stored) == {left["id"], made["id"], plain["id"]}
    assert (stored[left["id"]].words, stored[left["id"]].finding) == (
        "left\ufffd over",
        {"a": ["\ufffd"]},
    )
    assert (stored[made["id"]].words, stored[made["id"]].finding) == (
        "a\ufffdb",
        {"\ufffd": {"quote": "\\u0000 \ufffd"}},
    )


async def test_errors_do_not_quote_the_values_of_a_statement(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as error:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT CAST(:words AS int)"), {"words": 2**70})
    assert str(2**70) not in str(error.value).replace(str(error.value.orig), "")
