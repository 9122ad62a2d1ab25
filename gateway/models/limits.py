"""Rate-limit policies and decisions."""

from functools import lru_cache
from typing import NamedTuple


class Window(NamedTuple):
    """At most `quota` units in any span of `seconds`."""

    name: str
    quota: int
    seconds: int


Policy = tuple[Window, ...]
"""Windows that all hold at once, shortest first."""

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


@lru_cache(maxsize=4096)
def make_policy(per_minute: int, per_hour: int, per_day: int) -> Policy:
    """The three windows that every key has; equal ones are one object."""
    return (
        Window("minute", per_minute, MINUTE_S),
        Window("hour", per_hour, HOUR_S),
        Window("day", per_day, DAY_S),
    )


class Cap(NamedTuple):
    """At most `limit` requests of a holder in flight.

    Attributes:
        name: `key` or `tenant`, for the refusal.
        holder: Id of the key or tenant.
        limit: How many.
    """

    name: str
    holder: str
    limit: int


class Lease(NamedTuple):
    """Places that a request holds in its caps until it is released.

    Attributes:
        id: Unique among the requests in flight.
        caps: Where it holds one.
    """

    id: str
    caps: tuple[Cap, ...]


class Decision(NamedTuple):
    """Whether a request may pass, and what is left; parallel to the policy's windows.

    A tuple, because one is made for every request: a frozen dataclass costs four times as much.

    Attributes:
        allowed: The request was counted; a denied one is not.
        retry_after_us: Microseconds until the same request would pass; 0 when allowed.
        remaining: Units left in each window.
        reset_us: Microseconds until the oldest unit leaves each window; 0 for an empty one.
        violated: Whether each window refused the request.
        lease: To be released when the request ends; None when it has no caps or was refused.
        capped: Name of the cap that refused it; the windows are asked first.
    """

    allowed: bool
    retry_after_us: int
    remaining: tuple[int, ...]
    reset_us: tuple[int, ...]
    violated: tuple[bool, ...]
    lease: Lease | None = None
    capped: str | None = None
