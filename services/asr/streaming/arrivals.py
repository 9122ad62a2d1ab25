"""When which audio came."""

import time
from collections import deque
from collections.abc import Callable


class Arrivals:
    """Remembers the arrival of each frame until nobody can ask for it any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._frames: deque[tuple[int, float]] = deque()

    def note(self, position: int) -> None:
        """Audio up to `position` has come now."""
        self._frames.append((position, self._clock()))

    def of(self, position: int) -> float:
        """When the audio before `position` had come."""
        for end, at in self._frames:
            if end >= position:
                return at
        return self._clock()

    def forget(self, position: int) -> None:
        """Nobody asks for what is before `position`."""
        while self._frames and self._frames[0][0] < position:
            self._frames.popleft()
