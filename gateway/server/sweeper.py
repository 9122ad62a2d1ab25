"""Looks after the deadlines of all connections with one timer."""

import asyncio

from gateway.server.channel import ClientChannel

INTERVAL_S = 0.5


class Sweeper:
    """Calls `check` on the connections whose deadline has passed.

    A timer per connection and request would cost more than the requests' parsing.
    """

    def __init__(self, connections: set[ClientChannel]) -> None:
        self._connections = connections
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(INTERVAL_S, self._sweep, loop)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self._connections):
            if connection.deadline <= now:
                connection.check(now)
        self._timer = loop.call_later(INTERVAL_S, self._sweep, loop)
