"""Group commit: many requests' rows in one transaction, each request awaiting its own.

A bounded queue and one or more writers. Durable before the answer leaves: `write` returns after
the commit, or, while the database is unreachable, after the rows are fsynced to the spool
(`shared.db.spool`), from where the same ids are replayed.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db.spool import Spool
from shared.logging import get_logger
from shared.metrics import Metrics
from shared.problem import Unavailable
from shared.telemetry.span import Kind, span

Row = dict[str, Any]
Batch = dict[str, list[Row]]
_logger = get_logger(__name__)

DATABASE, SPOOL = "database", "spool"
UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError)
# Classes of PostgreSQL's SQLSTATE: the connection failed; there is too little of something, such
# as connections; the server starts, stops or crashed (57P).
_OUTAGES = ("08", "53", "57P")


def is_unreachable(error: BaseException) -> bool:
    """Whether the database, rather than the row, is at fault."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, UNREACHABLE) or (_state(error) or "").startswith(_OUTAGES)


def _state(error: BaseException) -> str | None:
    """The SQLSTATE that PostgreSQL gave.

    SQLAlchemy wraps what a statement raises, but passes on what asyncpg raises while it connects:
    `CannotConnectNowError` of a server that has only begun to start, for one.
    """
    state = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return state if isinstance(state, str) else None


def _kind(error: BaseException) -> str:
    """What happened, without a message: databases quote the values of rows in theirs."""
    if not isinstance(error, DBAPIError):
        return type(error).__name__
    return f"{type(error).__name__} {_state(error) or type(error.orig).__name__}"


@dataclass(slots=True)
class _Pending:
    rows: Batch
    done: asyncio.Future[str]


class GroupCommitWriter:
    """Batches inserts of concurrent requests.

    Args:
        insert: Inserts a batch (rows by table name) in one transaction, ignoring rows whose id
            is there already, so that a replay is harmless.
        spool: Keeps accepted rows while the database is unreachable.
        metrics: Where batch sizes and waits are counted.
        max_queued: Requests waiting beyond this are refused with 503.
        max_batch: Requests in one transaction.
        linger_s: How long a writer waits for company, if the transaction before had some. A
            request that is alone does not wait: whatever arrives while it is written has company.
        system: Of the database, as traces name it.
    """

    def __init__(
        self,
        insert: Callable[[Batch], Awaitable[None]],
        spool: Spool,
        metrics: Metrics,
        *,
        max_queued: int = 1024,
        max_batch: int = 256,
        linger_s: float = 0.002,
        write_timeout_s: float = 5.0,
        replay_interval_s: float = 1.0,
        system: str = "other_sql",
    ) -> None:
        self._insert = insert
        self._spool = spool
        self._system = system
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue(max_queued)
        self._max_batch = max_batch
        self._linger_s = linger_s
        self._write_timeout_s = write_timeout_s
        self._replay_interval_s = replay_interval_s
        self._tasks: list[asyncio.Task[None]] = []
        self._database_down = False
        self._company = False
        self._closing = False
        self._batch_size = Histogram(
            "speechgate_db_batch_requests",
            "Requests written by one transaction",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=metrics.registry,
        )
        self._spooled = Counter(
            "speechgate_db_spooled_requests",
            "Requests whose rows went to the spool",
            registry=metrics.registry,
        )
        self._spool_depth = Gauge(
            "speechgate_db_spool_files", "Spool files to replay", registry=metrics.registry
        )
        oldest = Gauge(
            "speechgate_db_spool_oldest_seconds",
            "Age of the oldest spool file; 0 without any",
            registry=metrics.registry,
        )
        oldest.set_function(self._oldest_age_s)

    def _oldest_age_s(self) -> float:
        oldest_at = self._spool.oldest_at()
        return 0.0 if oldest_at is None else max(0.0, time.time() - oldest_at)

    async def start(self) -> None:
        """Start the writer and the replay of what an earlier process left."""
        self._spool_depth.set(self._spool.depth())
        self._tasks = [
            asyncio.create_task(self._write_loop(), name="group-commit"),
            asyncio.create_task(self._replay_loop(), name="spool-replay"),
        ]

    async def stop(self) -> None:
        """Write what is queued, then end. Call it after the last request was answered."""
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._write_timeout_s):
                await self._queue.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def write(self, rows: Batch) -> None:
        """Return when the rows are durable.

        Raises:
            Unavailable: The queue is full, or neither database nor spool takes the rows.
        """
        pending = _Pending(rows, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(pending)
        except asyncio.QueueFull:
            raise Unavailable(
                "Too many results wait to be stored.", code="storage_saturated"
            ) from None
        attributes = {"db.system.name": self._system, "db.operation.name": "INSERT"}
        with span(f"INSERT {next(iter(rows), '')}", Kind.CLIENT, attributes) as made:
            # Shielded: a client that leaves must not undo a write that others share.
            where = await asyncio.shield(pending.done)
            if made is not None:
                made.put("speechgate.stored_in", where)

    async def _collect(self) -> list[_Pending]:
        batch = [await self._queue.get()]
        if self._company:
            await asyncio.sleep(self._linger_s)
        while len(batch) < self._max_batch:
            try:
                batch.append(self._queue.get_nowait())
            except asyncio.QueueEmpty:
                break
        self._company = len(batch) > 1
        return batch

    async def _write_loop(self) -> None:
        while True:
            batch = await self._collect()
            self._batch_size.observe(len(batch))
            try:
                await self._store(batch)
            except Exception as error:  # noqa: BLE001 - told to those who wait
                _logger.error("rows could not be stored", requests=len(batch), error=_kind(error))
                refusal = Unavailable("The result could not be stored.", code="storage_failed")
                for pending in batch:
                    if not pending.done.done():
                        pending.done.set_exception(refusal)
            finally:
                for _ in batch:
                    self._queue.task_done()

    async def _store(self, batch: Sequence[_Pending]) -> None:
        if not self._database_down:
            try:
                await self._insert_bounded(merge([pending.rows for pending in batch]))
            except Exception as error:
                if not is_unreachable(error):
                    # One bad row must not take its neighbours along.
                    if len(batch) == 1:
                        raise
                    for pending in batch:
                        await self._store_alone(pending)
                    return
                _logger.error("database unreachable, spooling", error=type(error).__name__)
                self._database_down = True
            else:
                self._acknowledge(batch, DATABASE)
                return
        rows = merge([pending.rows for pending in batch])
        await asyncio.to_thread(self._spool.append, rows)
        self._spooled.inc(len(batch))
        self._spool_depth.set(self._spool.depth())
        self._acknowledge(batch, SPOOL)

    async def _store_alone(self, pending: _Pending) -> None:
        try:
            await self._store([pending])
        except Exception as error:  # noqa: BLE001 - told to the one who waits
            _logger.error("row refused by the database", error=_kind(error))
            if not pending.done.done():
                pending.done.set_exception(
                    Unavailable("The result could not be stored.", code="storage_failed")
                )

    async def _insert_bounded(self, rows: Batch) -> None:
        async with asyncio.timeout(self._write_timeout_s):
            await self._insert(rows)

    @staticmethod
    def _acknowledge(batch: Sequence[_Pending], where: str) -> None:
        for pending in batch:
            if not pending.done.done():
                pending.done.set_result(where)

    async def _replay_loop(self) -> None:
        while True:
            if self._spool.depth() or self._database_down:
                try:
                    await self._replay()
                    if self._database_down:
                        _logger.info("database reachable again")
                    self._database_down = False
                except Exception as error:  # noqa: BLE001 - tried again at the next interval
                    _logger.warning("spool not replayed yet", error=type(error).__name__)
            await asyncio.sleep(self._replay_interval_s)

    async def _replay(self) -> None:
        for name in await asyncio.to_thread(self._spool.names):
            rows = await asyncio.to_thread(self._spool.read, name)
            if rows:
                await self._insert_bounded(rows)
            await asyncio.to_thread(self._spool.remove, name)
            self._spool_depth.set(self._spool.depth())
        if self._database_down:
            await self._insert_bounded({})  # An empty batch only opens a transaction: a probe.


def merge(batches: Sequence[Batch]) -> Batch:
    """One batch with the rows of all, by table, in order."""
    merged: Batch = {}
    for rows in batches:
        for table, found in rows.items():
            merged.setdefault(table, []).extend(found)
    return merged
