"""Rate-limit policies and decisions."""

from dataclasses import dataclass
from typing import NamedTuple


class Window(NamedTuple):
    """At most `quota` units in any span of `seconds`."""

    name: str
    quota: int
    seconds: int


Policy = tuple[Window, ...]
"""Windows that all hold at once, shortest first."""

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def make_policy(per_minute: int, per_hour: int, per_day: int) -> Policy:
    """The three windows that every key has."""
    return (
        Window("minute", per_minute, MINUTE_S),
        Window("hour", per_hour, HOUR_S),
        Window("day", per_day, DAY_S),
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass, and what is left; parallel to the policy's windows.

    Attributes:
        allowed: The request was counted; a denied one is not.
        retry_after_us: Microseconds until the same request would pass; 0 when allowed.
        remaining: Units left in each window.
        reset_us: Microseconds until the oldest unit leaves each window; 0 for an empty one.
        violated: Whether each window refused the request.
    """

    allowed: bool
    retry_after_us: int
    remaining: tuple[int, ...]
    reset_us: tuple[int, ...]
    violated: tuple[bool, ...]
