"""Places under a cap that a long request holds: they are renewed while it lasts."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from gateway.models.limits import Lease
from gateway.ratelimit.protocol import LEASE_LIFE_S


class Renewer(Protocol):
    """The part of the limiter that is needed."""

    def renew(self, lease: Lease) -> None:
        """Keep the lease's places for another life."""


@contextmanager
def renewing(
    limiter: Renewer, lease: Lease | None, every_s: float = LEASE_LIFE_S / 3
) -> Iterator[None]:
    """Renew a lease every now and then until the block ends.

    Args:
        limiter: Knows the lease.
        lease: None for a request without one.
        every_s: Well below the life of a lease.
    """
    if lease is None:
        yield
        return
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def renew() -> None:
        nonlocal timer
        limiter.renew(lease)
        timer = loop.call_later(every_s, renew)

    timer = loop.call_later(every_s, renew)
    try:
        yield
    finally:
        timer.cancel()
