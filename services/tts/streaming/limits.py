"""What live requests may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Bounds of each live request.

    Attributes:
        characters: Of its whole text.
        longest_s: From its beginning to its end.
        idle_s: Longest time without text, when all is spoken.
        start_s: Longest time until `start`.
        slow_s: Longest time that a client takes for one event.
        drain_s: Longest time for what has come when the process ends.
    """

    characters: int
    longest_s: float
    idle_s: float
    start_s: float
    slow_s: float
    drain_s: float
