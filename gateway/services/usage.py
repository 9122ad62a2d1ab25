"""`last_used_at`, written in batches behind the requests."""

import asyncio
import contextlib

from gateway.exceptions import DatabaseUnreachable
from gateway.repositories.store import Database
from shared.db.base import utc_now
from shared.logging import get_logger

_logger = get_logger(__name__)


class UsageRecorder:
    """Collects uses of keys and writes them every few seconds.

    Args:
        database: Where they go.
        interval_s: Between batches.
    """

    def __init__(self, database: Database, interval_s: float) -> None:
        self._database = database
        self._interval_s = interval_s
        self._used: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def touch(self, key_id: str) -> None:
        """The key was used now."""
        self._used.add(key_id)

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._loop(), name="key-usage")

    async def stop(self) -> None:
        """Write what is left and end."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self.flush()

    async def flush(self) -> None:
        """Write one batch; what cannot be written waits for the next."""
        if not self._used:
            return
        used, self._used = self._used, set()
        now = utc_now()  # Exact to the interval, which is what the column is for.
        try:
            async with self._database.transaction() as store:
                await store.keys.record_use(dict.fromkeys(sorted(used), now))
        except DatabaseUnreachable:
            self._used |= used
        except Exception as error:
            _logger.error("key usage was not written", exc_info=error)

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self.flush()
