"""The limiter of one process: the embedded stack's, and the full stack's without Redis."""

import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from gateway.models.limits import Cap, Decision, Lease, Policy
from gateway.ratelimit.in_flight import InFlight
from gateway.ratelimit.protocol import CAPPED_RETRY_US, LEASE_LIFE_S, MICROSECONDS
from gateway.ratelimit.rules import Rule, rule_of

RECORDED_UNITS = 16_384
"""Newest units of a key that are remembered of another limiter's acceptances.

They bridge an outage. All units of a key with a quota of a million would take 8 MB; without the
older ones such a key gets a part of its longest window once more while the outage lasts.
"""


def wall_clock_us() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1_000


class MemoryLimiter:
    """Logs of accepted units, oldest first, by key.

    Args:
        clock: Microseconds; needs no epoch.
        max_keys: Beyond this the least recently used key starts afresh.
        max_units: Likewise, of all keys together (8 bytes each).
        lease_life_s: A place that is neither released nor renewed is free again after this.

    Attributes:
        in_flight: Places held under caps.
    """

    def __init__(
        self,
        clock: Callable[[], int] = wall_clock_us,
        *,
        max_keys: int = 10_000,
        max_units: int = 8_000_000,
        lease_life_s: float = LEASE_LIFE_S,
    ) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._max_units = max_units
        self._logs: OrderedDict[str, array[int]] = OrderedDict()
        self._units = 0
        self._ids = count()
        self.in_flight = InFlight(int(lease_life_s * MICROSECONDS))
        self._ahead_us = 0

    async def check(
        self, key: str, policy: Policy, cost: int = 1, caps: Sequence[Cap] = ()
    ) -> Decision:
        """One decision; see `Limiter`."""
        return self.decide(key, policy, cost, caps)

    def decide(self, key: str, policy: Policy, cost: int = 1, caps: Sequence[Cap] = ()) -> Decision:
        """`check` without awaiting."""
        now = self._clock() + self._ahead_us
        rule = rule_of(policy)
        log = self._log(key)
        length = len(log)
        oldest = log[0] if length else 0
        retry = 0
        inside = []
        for quota, width in rule.spans:
            # Inside: now - t < width, so t > now - width.
            start = now - width
            units = length if oldest > start else length - bisect_right(log, start)
            if units + cost > quota:
                # Room comes when the unit that is one too many leaves.
                wait = log[length - 1 - (quota - cost)] - start if cost <= quota else width
                retry = max(retry, wait)
            inside.append(units)
        refusing = None
        if retry:
            violated = tuple(
                [n + cost > span[0] for n, span in zip(inside, rule.spans, strict=True)]
            )
            return self._answer(rule, log, inside, now, retry, violated)
        if caps and (refusing := self.in_flight.refusing(caps, now)) is not None:
            return self._answer(
                rule, log, inside, now, CAPPED_RETRY_US, rule.violations[0], refusing.name
            )
        lease = None
        if caps:
            lease = Lease(f"p{next(self._ids):x}", tuple(caps))
            self.in_flight.hold(lease, now)
        self._append(log, rule.largest, rule.longest, now, cost)
        inside = [units + cost for units in inside]
        return self._answer(rule, log, inside, now, 0, rule.violations[0], None, lease)

    def renew(self, lease: Lease) -> None:
        """The request goes on for longer than a lease lives."""
        self.in_flight.hold(lease, self._clock() + self._ahead_us)

    def release(self, lease: Lease) -> None:
        """The request ended."""
        self.in_flight.release(lease)

    def synchronize(self, now: int) -> None:
        """Go by another clock from now on: that of the limiter whose acceptances are recorded."""
        self._ahead_us = now - self._clock()

    def record(self, key: str, rule: Rule, cost: int, now: int) -> None:
        """Note what another limiter accepted, so that its outage does not reset the windows."""
        largest = rule.largest
        self._append(
            self._log(key),
            min(largest, RECORDED_UNITS),
            rule.longest,
            now,
            cost,
        )

    def recent(self, seconds: int) -> Iterator[tuple[str, "array[int]"]]:
        """Logs of the keys that had a unit accepted lately, most recently used first."""
        since = self._clock() + self._ahead_us - seconds * MICROSECONDS
        for key in list(reversed(self._logs)):
            log = self._logs.get(key)
            if log and log[-1] > since:
                yield key, log

    @staticmethod
    def _answer(
        rule: Rule,
        log: "array[int]",
        inside: list[int],
        now: int,
        retry: int,
        violated: tuple[bool, ...],
        capped: str | None = None,
        lease: Lease | None = None,
    ) -> Decision:
        remaining, reset = [], []
        for units, (quota, width) in zip(inside, rule.spans, strict=True):
            left = quota - units
            remaining.append(max(left, 0))
            reset.append(log[-units] + width - now if units else 0)
        return Decision(not retry, retry, tuple(remaining), tuple(reset), violated, lease, capped)

    def _log(self, key: str) -> "array[int]":
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = array("q")
            if len(self._logs) > self._max_keys:
                self._forget_oldest()
        else:
            self._logs.move_to_end(key)
        return log

    def _forget_oldest(self) -> None:
        _, log = self._logs.popitem(last=False)
        self._units -= len(log)

    def _append(self, log: "array[int]", largest: int, longest: int, now: int, cost: int) -> None:
        if log and log[-1] > now:
            now = log[-1]  # A clock that was set back must not break the search's order.
        if cost == 1:
            log.append(now)
        else:
            log.extend([now] * cost)
        before = len(log)
        # Trimmed in strides: deleting from the front of an array moves all of it.
        if before > largest + (largest >> 2) + 64:
            del log[: before - largest]
        if log[0] <= now - 2 * longest:
            del log[: bisect_right(log, now - longest)]
        self._units += cost + len(log) - before
        while self._units > self._max_units and len(self._logs) > 1:
            self._forget_oldest()
