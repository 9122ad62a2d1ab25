"""How long the caller of the request in work still waits."""

import time
from contextvars import ContextVar

TIMEOUT_HEADER = b"x-sg-timeout-ms"
_MAX_S = 7200.0
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def set_deadline(header: str | None) -> None:
    """Note what the gateway says is left, for this request's tasks.

    Args:
        header: Milliseconds; anything that is no number is taken for absent.
    """
    if header is None or not header.isascii() or not header.isdigit():
        _deadline.set(None)
    else:
        _deadline.set(time.monotonic() + min(int(header[:9]) / 1000, _MAX_S))


def remaining_s(longest_s: float) -> float:
    """Seconds that work may take: at most `longest_s`; not positive when none are left."""
    deadline = _deadline.get()
    return longest_s if deadline is None else min(longest_s, deadline - time.monotonic())
