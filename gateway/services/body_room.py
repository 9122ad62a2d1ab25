"""Memory for bodies that the gateway keeps whole: those of pipelines, which it takes apart."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from gateway.exceptions import Overloaded
from shared.metrics import Metrics


class Held:
    """What one request holds."""

    def __init__(self, room: "BodyRoom") -> None:
        self._room = room
        self.size = 0

    def add(self, size: int) -> None:
        """More of its body has come.

        Raises:
            Overloaded: There is no room for it.
        """
        self._room.used += size
        self.size += size
        # One body alone is bounded elsewhere: it always fits.
        if self._room.used > self._room.limit and self._room.used > self.size:
            raise Overloaded


class BodyRoom:
    """Bounds the bodies of all requests together.

    Args:
        limit: Bytes.
        metrics: Where the use is shown.

    Attributes:
        used: Bytes now.
    """

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self.limit = limit
        self.used = 0
        gauge = Gauge(
            "speechgate_composed_body_bytes",
            "Bodies of composed requests in memory",
            registry=metrics.registry,
        )
        gauge.set_function(lambda: self.used)
        most = Gauge(
            "speechgate_composed_body_bytes_max",
            "Bytes that bodies of composed requests may take",
            registry=metrics.registry,
        )
        most.set(limit)

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """Room for one request's body, until the block ends."""
        held = Held(self)
        try:
            yield held
        finally:
            self.used -= held.size
