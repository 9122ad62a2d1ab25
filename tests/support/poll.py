"""Waiting for a condition, bounded in time; never a bare sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], *, timeout_s: float = 5.0
) -> None:
    """Return when the condition holds; `AssertionError` when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return
        assert time.monotonic() < deadline, f"did not hold within {timeout_s} s"
        await asyncio.sleep(0.01)
