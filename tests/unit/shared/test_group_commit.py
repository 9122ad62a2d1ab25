import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    TooManyConnectionsError,
    UniqueViolationError,
)
from sqlalchemy import String, Table, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, new_metadata
from shared.db.engine import create_engine
from shared.db.group_commit import Batch, GroupCommitWriter, is_unreachable, merge
from shared.db.rows import batch_inserter
from shared.db.spool import Spool
from shared.metrics import Metrics
from shared.problem import Unavailable
from tests.support.poll import eventually


class _Base(Base):
    __abstract__ = True
    metadata = new_metadata()


class Note(_Base):
    __tablename__ = "notes"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    text: Mapped[str] = mapped_column(String(20))


NOTES: Table = _Base.metadata.tables["notes"]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path}/notes.db")
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    yield engine
    await engine.dispose()


class Faulty:
    """The real inserter behind a switch: `failure` is raised instead while it is set."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._insert: Callable[[Batch], Awaitable[None]] = batch_inserter(engine, {"notes": NOTES})
        self.failure: Exception | None = None
        self.transactions = 0

    async def __call__(self, rows: Batch) -> None:
        if self.failure:
            raise self.failure
        self.transactions += 1
        await self._insert(rows)


@asynccontextmanager
async def running(insert: Faulty, spool: Spool, **options: int) -> AsyncIterator[GroupCommitWriter]:
    writer = GroupCommitWriter(insert, spool, Metrics("test"), replay_interval_s=0.01, **options)
    await writer.start()
    yield writer
    await writer.stop()


async def stored(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set((await connection.execute(select(NOTES.c.id))).scalars())


def note(name: object, text: str = "x") -> Batch:
    return {"notes": [{"id": str(name), "text": text}]}


def unreachable() -> OperationalError:
    return OperationalError("insert", {}, ConnectionRefusedError())


async def test_concurrent_writes_share_transactions(engine: AsyncEngine, tmp_path: Path) -> None:
    insert = Faulty(engine)
    async with running(insert, Spool(tmp_path / "spool")) as writer:
        await asyncio.gather(*(writer.write(note(number)) for number in range(200)))
        assert await stored(engine) == {str(number) for number in range(200)}
    assert insert.transactions <= 5


async def test_who_is_alone_waits_for_no_company(engine: AsyncEngine, tmp_path: Path) -> None:
    insert = Faulty(engine)
    async with running(insert, Spool(tmp_path / "spool"), linger_s=3_600) as writer:
        async with asyncio.timeout(10):
            for number in range(3):
                await writer.write(note(number))
            assert insert.transactions == 3
            await asyncio.gather(*(writer.write(note(number)) for number in range(3, 6)))
        assert insert.transactions == 4


async def test_after_company_a_writer_waits_for_more(engine: AsyncEngine, tmp_path: Path) -> None:
    insert = Faulty(engine)
    options = {"linger_s": 3_600, "write_timeout_s": 1}
    async with running(insert, Spool(tmp_path / "spool"), **options) as writer:
        await asyncio.gather(*(writer.write(note(number)) for number in range(2)))
        waiting = asyncio.create_task(writer.write(note(2)))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        assert insert.transactions == 1
        waiting.cancel()


async def test_a_row_is_durable_when_write_returns(engine: AsyncEngine, tmp_path: Path) -> None:
    async with running(Faulty(engine), Spool(tmp_path / "spool")) as writer:
        for number in range(3):
            await writer.write(note(number))
            assert str(number) in await stored(engine)


async def test_a_bad_row_does_not_take_its_neighbours_along(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    async with running(Faulty(engine), Spool(tmp_path / "spool")) as writer:
        bad: Batch = {"notes": [{"id": "bad", "text": None}]}
        results = await asyncio.gather(
            writer.write(note("a")),
            writer.write(bad),
            writer.write(note("b")),
            return_exceptions=True,
        )
    assert results[0] is None
    assert isinstance(results[1], Unavailable)
    assert results[2] is None
    assert await stored(engine) == {"a", "b"}


async def test_rows_are_spooled_while_the_database_is_down_and_replayed_after(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    insert, spool = Faulty(engine), Spool(tmp_path / "spool")
    async with running(insert, spool) as writer:
        insert.failure = unreachable()
        await asyncio.gather(*(writer.write(note(number)) for number in range(10)))
        assert spool.depth() >= 1
        assert await stored(engine) == set()
        insert.failure = None
        await eventually(lambda: spool.depth() == 0)
        assert await stored(engine) == {str(number) for number in range(10)}
        await writer.write(note("later"))
        assert "later" in await stored(engine)
        assert spool.depth() == 0


async def test_a_successor_replays_what_a_process_left(engine: AsyncEngine, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(note("left behind"))
    async with running(Faulty(engine), Spool(tmp_path / "spool")):

        async def replayed() -> bool:
            return "left behind" in await stored(engine)

        await eventually(replayed)


async def test_a_replay_of_stored_rows_changes_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    async with running(Faulty(engine), Spool(tmp_path / "spool")) as writer:
        await writer.write(note("a", "first"))
        await writer.write(note("a", "again"))
    async with engine.connect() as connection:
        assert (await connection.execute(select(NOTES.c.text))).scalars().all() == ["first"]


async def test_a_full_spool_refuses_instead_of_pretending(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    insert, spool = Faulty(engine), Spool(tmp_path / "spool", max_files=0)
    async with running(insert, spool) as writer:
        insert.failure = unreachable()
        with pytest.raises(Unavailable):
            await writer.write(note(1))


async def test_a_full_queue_refuses(engine: AsyncEngine, tmp_path: Path) -> None:
    async with running(Faulty(engine), Spool(tmp_path / "spool"), max_queued=2) as writer:
        results = await asyncio.gather(
            *(writer.write(note(number)) for number in range(5)), return_exceptions=True
        )
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert len(refused) == 3
    assert all(error.code == "storage_saturated" for error in refused)
    assert len(await stored(engine)) == 2


async def test_a_client_that_leaves_undoes_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    async with running(Faulty(engine), Spool(tmp_path / "spool")) as writer:
        leaving = asyncio.create_task(writer.write(note("left")))
        staying = asyncio.create_task(writer.write(note("stayed")))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
    assert await stored(engine) == {"left", "stayed"}


@pytest.mark.parametrize(
    "error",
    [
        CannotConnectNowError("the database system is starting up"),
        AdminShutdownError("terminating connection"),
        TooManyConnectionsError("sorry, too many clients already"),
        DBAPIError("insert", {}, AdminShutdownError("terminating connection")),
        ConnectionRefusedError(),
    ],
)
def test_a_server_that_starts_or_stops_is_unreachable(error: Exception) -> None:
    """asyncpg's errors come as they are while it connects, and wrapped after."""
    assert is_unreachable(error)


@pytest.mark.parametrize(
    "error",
    [
        UniqueViolationError("duplicate key"),
        DBAPIError("insert", {}, UniqueViolationError("duplicate key")),
        ValueError(),
    ],
)
def test_a_row_at_fault_is_no_outage(error: Exception) -> None:
    assert not is_unreachable(error)


def test_merge_keeps_order() -> None:
    assert merge([{"a": [{"n": 1}]}, {"b": [{"n": 2}]}, {"a": [{"n": 3}]}]) == {
        "a": [{"n": 1}, {"n": 3}],
        "b": [{"n": 2}],
    }
