"""Bounds of a stream."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamBounds:
    """What one stream may take.

    Attributes:
        idle_s: Longest silence, of both sides together.
        max_bytes: That the client may send.
        max_rate: Bytes per second that the client may send, over ten seconds.
    """

    idle_s: float
    max_bytes: int
    max_rate: int = 2 * 1024 * 1024
