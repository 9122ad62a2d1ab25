"""How long the steps of one request took."""

import time

from shared.telemetry.span import record


class Stopwatch:
    """Laps in milliseconds, by name."""

    def __init__(self) -> None:
        self._started = self._lap_started = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End the step that began at the last lap."""
        now = time.perf_counter()
        self.laps[name] = round((now - self._lap_started) * 1000, 2)
        record(name, now - self._lap_started)
        self._lap_started = now

    def split(self, lap: str, name: str, seconds: float) -> None:
        """Say that a part of a lap was something else."""
        milliseconds = round(seconds * 1000, 2)
        rest = self.laps.pop(lap) - milliseconds
        self.laps[name] = milliseconds
        self.laps[lap] = round(max(rest, 0.0), 2)

    def total_ms(self) -> float:
        """Since the start."""
        return round((time.perf_counter() - self._started) * 1000, 2)
