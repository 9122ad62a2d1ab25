"""Keeps the bounds of a stream."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.models.streams import StreamBounds
from shared.problem import SpeechgateError, Unavailable
from shared.streams import GOING_AWAY, POLICY

TOO_BIG = 1009
_RENEW_S, _WINDOW_S = 2.0, 10.0
Verdict = tuple[int, str]
"""Close code and reason."""


class StreamWatch:
    """Counts what a client sends, and asks whether it may stay.

    Args:
        bounds: Of the stream.
        now: `loop.time()`.
        stay: Called every two seconds; raises when the sender may not stay.
        end: Called when it may not.
    """

    def __init__(
        self,
        bounds: StreamBounds,
        now: float,
        stay: Callable[[], Awaitable[None]],
        end: Callable[[int, str], None],
    ) -> None:
        self._bounds = bounds
        self._stay = stay
        self._end = end
        self._received = 0
        self._window = (now, 0)
        self._asked_at = now
        self._asking: asyncio.Task[None] | None = None

    def count(self, size: int) -> Verdict | None:
        """Bytes of the client; why the stream ends, if they are too many."""
        self._received += size
        return (TOO_BIG, "too_many_bytes") if self._received > self._bounds.max_bytes else None

    def check(self, now: float, active_at: float) -> Verdict | None:
        """Called about twice a second.

        Args:
            now: `loop.time()`.
            active_at: When a side last did something.

        Returns:
            Why the stream ends, if it does.
        """
        since, sent = self._window
        if now - active_at > self._bounds.idle_s:
            return GOING_AWAY, "idle"
        if self._received - sent > self._bounds.max_rate * _WINDOW_S:
            return POLICY, "too_fast"
        if now - since >= _WINDOW_S:
            self._window = (now, self._received)
        if now - self._asked_at >= _RENEW_S and (self._asking is None or self._asking.done()):
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        return None

    def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self) -> None:
        try:
            await self._stay()
        except Unavailable:
            return  # Nobody can say now; asked again.
        except SpeechgateError:
            self._end(POLICY, "credential_refused")
