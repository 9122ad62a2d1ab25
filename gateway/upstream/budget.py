"""Bounds retries to a share of recent requests, so that they cannot make an outage worse."""

WINDOW_S = 10
MIN_RETRIES = 10
"""With little traffic too, a dead replica is found out (5 failures) before a client sees it."""
SHARE = 0.2


class RetryBudget:
    """Counts of the last ten seconds, kept by the second."""

    __slots__ = ("_edge", "_requests", "_retries")

    def __init__(self) -> None:
        self._requests = [0] * WINDOW_S
        self._retries = [0] * WINDOW_S
        self._edge = 0.0

    def request(self, now: float) -> None:
        """A request that is no retry.

        Args:
            now: Monotonic seconds.
        """
        if now >= self._edge:
            self._turn(now)
        self._requests[-1] += 1

    def spend(self, now: float) -> bool:
        """Whether a request may be sent again; if so, it is counted."""
        if now >= self._edge:
            self._turn(now)
        if sum(self._retries) + 1 > max(MIN_RETRIES, SHARE * sum(self._requests)):
            return False
        self._retries[-1] += 1
        return True

    def _turn(self, now: float) -> None:
        passed = min(int(now - self._edge) + 1, WINDOW_S)
        for counts in (self._requests, self._retries):
            del counts[:passed]
            counts.extend([0] * passed)
        self._edge = float(int(now) + 1)
