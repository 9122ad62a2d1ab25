"""How fast a client sends a body."""

from gateway.server.body import RequestBody
from gateway.server.limits import ConnectionLimits


class BodyPace:
    """Judges one body at a time.

    Args:
        limits: The longest silence, and the lowest rate.
    """

    __slots__ = ("_limits", "_received", "_received_at", "_since")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._since = self._received_at = 0.0
        self._received = 0

    def start(self, body: RequestBody, now: float) -> None:
        """The client may send (again): time that the gateway held it back does not count."""
        self._since = self._received_at = now
        self._received = body.received

    def is_late(self, body: RequestBody, now: float) -> bool:
        """Whether the client was silent for too long, or is too slow."""
        if body.received > self._received:
            self._received, self._received_at = body.received, now
        elif now - self._received_at > self._limits.receive_timeout_s:
            return True
        elapsed = now - self._since - self._limits.body_grace_s
        return elapsed > 0 and body.received < elapsed * self._limits.min_body_rate
