"""The trail of flag evaluations, written in batches behind the requests."""

import asyncio
import contextlib
import hashlib
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from prometheus_client import Counter

from gateway.exceptions import DatabaseUnreachable
from gateway.models.flags import EvaluationRecord, FlagContext, FlagEvaluation, Origin
from gateway.repositories.store import Database
from shared.db.base import new_id, utc_now
from shared.identity import Identity
from shared.logging import get_logger
from shared.metrics import Metrics
from shared.tracing import current_context

MAX_WAITING = 20_000
_MAX_BATCH = 500
_KEY_LENGTH = 64
_STOP_TIMEOUT_S = 5.0
_PRUNE_INTERVAL_S, _PRUNED = 60.0, 2_000
_NO_ANSWER = frozenset({"ERROR", "DISABLED", "DEFAULT", "UNKNOWN"})
_logger = get_logger(__name__)


class FlagAudit:
    """Collects evaluations and stores them.

    Which are kept is decided by a hash of flag, targeting key and request id: the same ones in
    every process, spread evenly over flags and time.

    Args:
        database: Where they go.
        environment: Of the flags.
        sample: Part of them that is kept, 0 to 1.
        interval_s: Between batches; a full batch is written at once.
        keep_days: How long they are kept; 0 is for ever.
        metrics: Counts what had to be dropped.
    """

    def __init__(
        self,
        database: Database,
        environment: str,
        *,
        sample: float,
        interval_s: float,
        keep_days: int,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._environment = environment
        self._threshold = int(sample * (1 << 64))
        self._interval_s = interval_s
        self._life = timedelta(days=keep_days)
        self._next_prune = 0.0
        self._waiting: deque[EvaluationRecord] = deque()
        self._full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told = False
        self._dropped = Counter(
            "speechgate_flag_audit_dropped",
            "Evaluations that were not stored: too many waited, or the database refused them",
            registry=metrics.registry,
        )

    def record(
        self, evaluation: FlagEvaluation, context: FlagContext, sender: Identity, origin: Origin
    ) -> None:
        """Note an evaluation, if it is one of those that are kept; never waits."""
        request = current_context.get()
        request_id = request.request_id if request is not None else ""
        if not self._kept(f"{evaluation.flag_name}\n{context.targeting_key}\n{request_id}"):
            return
        if len(self._waiting) >= MAX_WAITING:
            self._drop(1, "too many wait")
            return
        self._waiting.append(
            EvaluationRecord(
                id=new_id(),
                flag_name=evaluation.flag_name[:100],
                environment=self._environment,
                tenant_id=sender.tenant_id[:32],
                subject=sender.subject[:64],
                targeting_key=_short(context.targeting_key),
                value=_stored_value(evaluation),
                variant=evaluation.variant[:100] if evaluation.variant else None,
                reason=evaluation.reason[:32],
                origin=origin,
                request_id=request_id[:64],
                evaluated_at=evaluation.evaluated_at,
            )
        )
        if len(self._waiting) >= _MAX_BATCH:
            self._full.set()

    def _kept(self, text: str) -> bool:
        if self._threshold >> 64:
            return True
        digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._threshold

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._loop(), name="flag-audit")

    async def stop(self) -> None:
        """Write what is left and end; what cannot be written in 5 s is dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await self.flush()
        if self._waiting:
            self._drop(len(self._waiting), "the process ends")
            self._waiting.clear()

    async def flush(self) -> None:
        """Write all that waits; while the database is unreachable it goes on waiting."""
        self._full.clear()
        while self._waiting:
            batch = [self._waiting[i] for i in range(min(len(self._waiting), _MAX_BATCH))]
            try:
                await self._write(batch)
            except DatabaseUnreachable:
                return
            for _ in batch:
                self._waiting.popleft()

    async def _write(self, batch: Sequence[EvaluationRecord]) -> None:
        try:
            await self._store(batch)
        except DatabaseUnreachable:
            raise
        except Exception as error:  # noqa: BLE001 - one bad row must not cost the others
            if len(batch) == 1:
                self._drop(1, type(error).__name__)
                return
            middle = len(batch) // 2
            await self._write(batch[:middle])
            await self._write(batch[middle:])

    async def _store(self, batch: Sequence[EvaluationRecord]) -> None:
        async with self._database.transaction() as store:
            await store.flag_evaluations.add(batch)
        self._told = False

    async def _prune(self) -> None:
        """Delete some old ones; one process after the other, so that several may do it."""
        now = time.monotonic()
        if not self._life or now < self._next_prune:
            return
        self._next_prune = now + _PRUNE_INTERVAL_S
        try:
            async with self._database.transaction() as store:
                deleted = await store.flag_evaluations.prune(utc_now() - self._life, _PRUNED)
        except Exception as error:  # noqa: BLE001 - tried again later
            _logger.warning("old flag evaluations were not deleted", kind=type(error).__name__)
            return
        if deleted == _PRUNED:  # There are more.
            self._next_prune = now

    def _drop(self, count: int, why: str) -> None:
        self._dropped.inc(count)
        if not self._told:
            self._told = True
            _logger.error("flag evaluations were not stored", count=count, why=why)

    async def _loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._full.wait()
            await self.flush()
            await self._prune()
            if self._full.is_set():  # The database is unreachable: no haste.
                self._full.clear()


def _short(key: str) -> str:
    """The key itself, or a hash of a long one."""
    if len(key) <= _KEY_LENGTH:
        return key
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_KEY_LENGTH]


def _stored_value(evaluation: FlagEvaluation) -> Any:
    """The flag's own value; a caller's default may be anything, so that it is left out."""
    if evaluation.reason in _NO_ANSWER and not isinstance(evaluation.value, bool):
        return None
    return evaluation.value
