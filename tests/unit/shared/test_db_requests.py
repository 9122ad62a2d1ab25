from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.caller import Caller
from shared.db.base import new_id, new_metadata, utc_now
from shared.db.engine import create_engine
from shared.db.group_commit import GroupCommitWriter, Row
from shared.db.requests import (
    RequestStore,
    request_row,
    request_table,
    result_rows,
    result_table,
)
from shared.db.rows import batch_inserter
from shared.db.spool import Spool
from shared.metrics import Metrics
from shared.problem import Unavailable

METADATA = new_metadata()
REQUESTS = request_table("x_requests", METADATA, Column("language", Text, nullable=False))
RESULTS = result_table("x_results", METADATA, REQUESTS, Column("text", Text, nullable=False))
CALLER = Caller("tenant", "key", "request", "trace")


def row(request_id: str, error_code: str | None = None) -> Row:
    return request_row(
        CALLER,
        request_id=request_id,
        created_at=utc_now(),
        model="m",
        error_code=error_code,
        latency_ms=1.23456,
        language="en",
    )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield engine
    await engine.dispose()


def store_on(engine: AsyncEngine, spool: Spool) -> tuple[RequestStore, GroupCommitWriter]:
    insert = batch_inserter(engine, {table.name: table for table in (REQUESTS, RESULTS)})
    writer = GroupCommitWriter(insert, spool, Metrics("x"), replay_interval_s=0.02)
    return RequestStore(engine, writer, REQUESTS, RESULTS), writer


async def test_a_tenant_reads_what_it_wrote_and_no_other_does(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    store, writer = store_on(engine, Spool(tmp_path / "spool"))
    await writer.start()
    stored_id, now = new_id(), utc_now()
    results = result_rows(stored_id, now, [{"text": "one"}, {"text": "two"}])
    await store.add(row(stored_id), results)
    failed = new_id()
    await store.add(row(failed, "inference_unavailable"))
    await writer.stop()

    found = await store.find("tenant", stored_id)
    assert found is not None
    assert found.request["status"] == "succeeded"
    assert found.request["latency_ms"] == 1.235
    assert [result["text"] for result in found.results] == ["one", "two"]
    assert [result["position"] for result in found.results] == [0, 1]
    assert await store.find("another", stored_id) is None
    lost = await store.find("tenant", failed)
    assert lost is not None
    assert (lost.request["status"], lost.request["error_code"]) == (
        "failed",
        "inference_unavailable",
    )
    assert not lost.results


async def test_rows_survive_in_the_spool_while_the_database_is_down(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    # A file as a folder on the path: connecting fails.
    (tmp_path / "file").write_text("")
    broken = create_engine(f"sqlite+aiosqlite:///{tmp_path}/file/x.db")
    spool = Spool(tmp_path / "spool")
    store, writer = store_on(broken, spool)
    await writer.start()
    stored_id = new_id()
    await store.add(row(stored_id), result_rows(stored_id, utc_now(), [{"text": "kept"}]))
    with pytest.raises(Unavailable) as unread:
        await store.find("tenant", stored_id)
    assert unread.value.code == "database_unavailable"
    await writer.stop()
    await broken.dispose()
    assert spool.depth() == 1

    rows = spool.read(spool.names()[0])
    await batch_inserter(engine, {table.name: table for table in (REQUESTS, RESULTS)})(rows)
    store, _ = store_on(engine, spool)
    found = await store.find("tenant", stored_id)
    assert found is not None
    assert [result["text"] for result in found.results] == ["kept"]
