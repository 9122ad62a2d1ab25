"""Who gives way when the process has too much to do: batch first, live streams last."""

import asyncio

from prometheus_client import Counter, Gauge

from gateway.exceptions import Overloaded
from gateway.models.routes import Priority
from shared.metrics import Metrics

_TICK_S = 0.05
_SHARES = {Priority.LIVE: 1.0, Priority.INTERACTIVE: 0.95, Priority.BATCH: 0.8}
# A loop that runs this late serves nobody well: shedding lets it catch up.
_LATE_S = {Priority.LIVE: float("inf"), Priority.INTERACTIVE: 1.0, Priority.BATCH: 0.25}


class Overload:
    """Counts requests in flight and measures how late the event loop runs.

    Args:
        max_in_flight: Places in this process; lower priorities may not use the last of them.
        metrics: Where refusals are counted.
    """

    def __init__(self, max_in_flight: int, metrics: Metrics) -> None:
        self.in_flight = 0
        self._places = {priority: int(max_in_flight * share) for priority, share in _SHARES.items()}
        self._late_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._shed = Counter(
            "speechgate_shed_requests",
            "Requests refused because this process had too much to do",
            ["priority"],
            registry=metrics.registry,
        )
        gauge = Gauge(
            "speechgate_event_loop_lag_seconds",
            "How late the event loop runs what is due",
            registry=metrics.registry,
        )
        gauge.set_function(lambda: self._late_s)

    def start(self) -> None:
        """Begin to measure."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_TICK_S, self._tick, loop, loop.time() + _TICK_S)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def has_room(self, priority: Priority) -> bool:
        """Whether `admit` would give a place."""
        return self.in_flight < self._places[priority] and self._late_s <= _LATE_S[priority]

    def admit(self, priority: Priority) -> None:
        """Take a place; `leave` gives it back.

        Raises:
            Overloaded: There is none for this priority.
        """
        if not self.has_room(priority):
            raise self._refusal(priority)
        self.in_flight += 1

    def leave(self) -> None:
        """The request ended."""
        self.in_flight -= 1

    def come_back(self, priority: Priority) -> None:
        """Take the place again that was left for a while; `leave` gives it back in any case.

        Raises:
            Overloaded: There is none.
        """
        self.in_flight += 1
        if self.in_flight > self._places[priority]:
            raise self._refusal(priority)

    def _refusal(self, priority: Priority) -> Overloaded:
        self._shed.labels(priority.name.lower()).inc()
        return Overloaded()

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - due
        # One late turn is no overload: the average of about half a second counts.
        self._late_s += (late - self._late_s) * 0.1
        self._timer = loop.call_later(_TICK_S, self._tick, loop, loop.time() + _TICK_S)
