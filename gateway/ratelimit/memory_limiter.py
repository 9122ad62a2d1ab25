"""The limiter of one process: the embedded stack's, and the full stack's without Redis."""

import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable

from gateway.models.limits import Decision, Policy
from gateway.ratelimit.protocol import MICROSECONDS


def wall_clock_us() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1_000


class MemoryLimiter:
    """Logs of accepted units, oldest first, by key.

    Args:
        clock: Microseconds; needs no epoch.
        max_keys: Beyond this the least recently used key starts afresh.
    """

    def __init__(self, clock: Callable[[], int] = wall_clock_us, *, max_keys: int = 10_000) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._logs: OrderedDict[str, array[int]] = OrderedDict()

    async def check(self, key: str, policy: Policy, cost: int = 1) -> Decision:
        """One decision; see `Limiter`."""
        return self.decide(key, policy, cost)

    def decide(self, key: str, policy: Policy, cost: int = 1) -> Decision:
        """`check` without awaiting."""
        now = self._clock()
        log = self._log(key)
        length = len(log)
        allowed, retry = True, 0
        inside: list[int] = []
        violated: list[bool] = []
        for window in policy:
            width = window.seconds * MICROSECONDS
            # Inside: now - t < width, so t > now - width.
            count = length - bisect_right(log, now - width)
            full = count + cost > window.quota
            if full:
                allowed = False
                room = cost <= window.quota
                wait = log[length - 1 - (window.quota - cost)] + width - now if room else width
                retry = max(retry, wait)
            inside.append(count)
            violated.append(full)
        if allowed:
            self._append(log, policy, now, cost)
            inside = [count + cost for count in inside]
        length = len(log)
        return Decision(
            allowed,
            retry,
            tuple(max(w.quota - n, 0) for w, n in zip(policy, inside, strict=True)),
            tuple(
                log[max(length - n, 0)] + w.seconds * MICROSECONDS - now if n else 0
                for w, n in zip(policy, inside, strict=True)
            ),
            tuple(violated),
        )

    def record(self, key: str, policy: Policy, cost: int) -> None:
        """Note what another limiter accepted, so that its outage does not reset the windows."""
        self._append(self._log(key), policy, self._clock(), cost)

    def _log(self, key: str) -> "array[int]":
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = array("q")
            if len(self._logs) > self._max_keys:
                self._logs.popitem(last=False)
        else:
            self._logs.move_to_end(key)
        return log

    @staticmethod
    def _append(log: "array[int]", policy: Policy, now: int, cost: int) -> None:
        # A clock that was set back must not break the order that the search relies on.
        stamp = max(now, log[-1]) if log else now
        log.extend([stamp] * cost)
        largest = max(window.quota for window in policy)
        longest = max(window.seconds for window in policy) * MICROSECONDS
        # Trimmed in strides: deleting from the front of an array moves all of it.
        if len(log) > 2 * largest:
            del log[: len(log) - largest]
        if log[0] <= now - 2 * longest:
            del log[: bisect_right(log, now - longest)]
