"""The limiter that all gateways share: all checks of one turn of the loop in one script call.

On Redis Cluster one call may name keys of one slot only: give `LOGS` and `PLACES` (batch.py) one
hash tag, as in `{speechgate}:window:`. Each operation of the script touches its own keys only, so
batches could be split by slot as well.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol

from hiredis import ReplyError

from gateway.db.redis import RedisLink
from gateway.db.redis_wire import Session
from gateway.exceptions import RedisUnavailable
from gateway.models.limits import Cap, Decision, Lease, Policy
from gateway.ratelimit.batch import LOAD, MAX_BATCH, Batch, Call, Question, log_key
from gateway.ratelimit.protocol import LEASE_LIFE_S, MICROSECONDS
from gateway.ratelimit.rules import Rule, rule_of
from shared.logging import get_logger

_logger = get_logger(__name__)
_MAX_IN_FLIGHT = 2
"""Batches. While they are away the next one fills: the slower Redis, the fewer calls."""
_RELEASE_S = 0.05
_MAX_RELEASES = 10_000


class Outcome(Protocol):
    """Who is told how calls went, and settles them."""

    def answered(self, calls: Sequence[Call], decisions: Sequence[Decision], now_us: int) -> None:
        """Redis decided."""

    def failed(self, calls: Sequence[Call], error: BaseException) -> None:
        """Redis did not answer."""


class Settle:
    """Hands out decisions as they are and failures as `RedisUnavailable`."""

    def answered(self, calls: Sequence[Call], decisions: Sequence[Decision], now_us: int) -> None:
        """Redis decided."""
        del now_us
        for call, decision in zip(calls, decisions, strict=True):
            if not call.done.done():
                call.done.set_result(decision)

    def failed(self, calls: Sequence[Call], error: BaseException) -> None:
        """Redis did not answer."""
        for call in calls:
            if not call.done.done():
                unavailable = RedisUnavailable()
                unavailable.__cause__ = error
                call.done.set_exception(unavailable)


class RedisLimiter:
    """Exact windows and caps in Redis.

    Args:
        link: Redis.
        clock: Microseconds; None takes the time of the Redis server, which all gateways share.
        lease_life_s: A place that is neither released nor renewed is free again after this.

    Attributes:
        outcome: Settles the calls.
        greet: Awaited with each new session, once the script is loaded.
    """

    def __init__(
        self,
        link: RedisLink,
        clock: Callable[[], int] | None = None,
        *,
        lease_life_s: float = LEASE_LIFE_S,
    ) -> None:
        self.link = link
        self.outcome: Outcome = Settle()
        self.greet: Callable[[Session], Any] | None = None
        self._wire = link.open_wire(self._welcome)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clock = clock
        self._life_us = int(lease_life_s * MICROSECONDS)
        self._ids = count()
        self._own = os.urandom(6).hex()
        self._filling = Batch()
        self._full: deque[Batch] = deque()
        self._in_flight = 0
        self._scheduled = False
        self._renewed: dict[str, Lease] = {}
        self._ended: deque[Lease] = deque(maxlen=_MAX_RELEASES)
        self._timer: asyncio.TimerHandle | None = None

    async def check(
        self, key: str, policy: Policy, cost: int = 1, caps: Sequence[Cap] = ()
    ) -> Decision:
        """One decision; see `Limiter`.

        Raises:
            RedisUnavailable: No answer in time.
        """
        return await self.submit(key, policy, cost, caps)

    def submit(
        self,
        key: str,
        policy: Policy,
        cost: int = 1,
        caps: Sequence[Cap] = (),
        *,
        fail_closed: bool = False,
    ) -> "asyncio.Future[Decision]":
        """`check` without a coroutine; `fail_closed` is for `outcome`."""
        loop = self._loop or self._running_loop()
        rule, lease = rule_of(policy), None
        if caps:
            lease, plan = self._leased(rule, cost, caps)
        else:
            plan = rule.plan(cost)
        done: asyncio.Future[Decision] = loop.create_future()
        self._ask(Call(done, key, rule, cost, lease, fail_closed), log_key(key), plan)
        return done

    def ask(self, question: Question) -> None:
        """`submit` for somebody who is told."""
        call, plan, caps = question.call, question.plan, question.caps
        if caps:
            lease, plan = self._leased(call.rule, call.cost, caps)
            call = call._replace(lease=lease)
        self._ask(call, question.log, plan)

    def _leased(self, rule: Rule, cost: int, caps: Sequence[Cap]) -> tuple[Lease, bytes]:
        lease = Lease(f"{self._own}{next(self._ids):x}", tuple(caps))
        return lease, rule.plan(cost, tuple([cap.limit for cap in caps]), self._life_us)

    def _ask(self, call: Call, log: bytes, plan: bytes) -> None:
        batch = self._filling
        if self._clock is not None:
            batch.times.append(self._clock())
        batch.add(call, log, plan)
        if len(batch.calls) >= MAX_BATCH:
            self._full.append(batch)
            self._filling = Batch()
        if not self._scheduled and self._in_flight < _MAX_IN_FLIGHT:
            self._scheduled = True
            # After every request that is ready in this turn.
            (self._loop or self._running_loop()).call_soon(self._flush)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        # Asking for it is a system call.
        loop = self._loop = asyncio.get_running_loop()
        return loop

    def renew(self, lease: Lease) -> None:
        """The request goes on for longer than a lease lives; never waits."""
        self._renewed[lease.id] = lease
        self._soon()

    def release(self, lease: Lease) -> None:
        """The request ended; never waits: it goes with the next call, or soon without one."""
        self._renewed.pop(lease.id, None)
        self._ended.append(lease)
        self._soon()

    def _soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_RELEASE_S, self._overdue)

    def _overdue(self) -> None:
        self._timer = None
        if (self._ended or self._renewed) and self.link.dependency.up and not self._in_flight:
            self._flush()

    def _flush(self) -> None:
        self._scheduled = False
        while self._in_flight < _MAX_IN_FLIGHT:
            if self._full:
                batch = self._full.popleft()
            elif self._filling.calls or self._ended or self._renewed:
                batch, self._filling = self._filling, Batch()
            else:
                return
            if self._ended or self._renewed:
                self._add_leases(batch)
            self._in_flight += 1
            self._send(batch)

    def _add_leases(self, batch: Batch) -> None:
        for _ in range(min(len(self._renewed), MAX_BATCH)):
            batch.renew(self._renewed.popitem()[1], self._life_us)
        for _ in range(min(len(self._ended), MAX_BATCH)):
            batch.end(self._ended.popleft())

    def _send(self, batch: Batch) -> None:
        now = None if self._clock is None else self._clock()
        self._wire.send(batch.command(now), lambda answer: self._answered(batch, answer))

    def _answered(self, batch: Batch, answer: Any) -> None:
        if isinstance(answer, bytes):
            self.link.dependency.succeeded()
            now, decisions = batch.read(answer)
            self.outcome.answered(batch.calls, decisions, now)
            if batch.leased:
                self._end_of_cancelled(batch)
        elif (
            isinstance(answer, ReplyError)
            and str(answer).startswith("NOSCRIPT")
            and not batch.retried
        ):
            # It was flushed; nothing was counted.
            batch.retried = True
            self._wire.send(LOAD, _ignore)
            self._send(batch)
            return
        else:
            if isinstance(answer, ReplyError):  # Such as a replica's: another address may do.
                self._wire.drop(ConnectionError("Redis refused the script"))
            self._failed(batch, answer)
        self._in_flight -= 1
        if not self._scheduled and (self._full or self._filling.calls):
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _end_of_cancelled(self, batch: Batch) -> None:
        for call in batch.calls:
            if call.lease is not None and call.done.cancelled():
                self.release(call.lease)

    def _failed(self, batch: Batch, error: BaseException) -> None:
        self.link.dependency.failed(error)
        _logger.warning("limits were not answered", error=str(error), calls=len(batch.calls))
        # What waits behind it has waited as long.
        failed = [batch, *self._full, self._filling]
        self._full.clear()
        self._filling = Batch()
        for each in failed:
            self.link.fell_back("limits", len(each.calls))
            self._ended.extend(each.ended)
            # Redis may have counted it all the same.
            self._ended.extend([call.lease for call in each.calls if call.lease is not None])
            self.outcome.failed(each.calls, error)
        if self._ended:
            self._soon()

    async def _welcome(self, session: Session) -> None:
        await session.call(LOAD)
        if self.greet is not None:
            await self.greet(session)


def _ignore(answer: object) -> None:
    """The next answer tells."""
