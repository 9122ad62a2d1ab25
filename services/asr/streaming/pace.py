"""How fast a client may send."""

import time
from collections.abc import Callable


class Pace:
    """A token bucket of audio seconds.

    Args:
        factor: Seconds of audio a second, in the long run.
        burst: Seconds of audio that may come at once.
        clock: Monotonic seconds.
    """

    def __init__(
        self, factor: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._factor = factor
        self._burst = burst
        self._clock = clock
        self._held = burst
        self._at = clock()

    def take(self, seconds: float) -> float:
        """Account for audio; how long to wait before more is read."""
        now = self._clock()
        self._held = min(self._burst, self._held + (now - self._at) * self._factor) - seconds
        self._at = now
        return max(0.0, -self._held / self._factor)
