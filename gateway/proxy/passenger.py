"""The client's end of a tunnel."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.models.streams import StreamBounds
from gateway.server.connection import HttpConnection
from gateway.upstream.tunnel import Tunnel
from shared.problem import SpeechgateError, Unavailable

_RENEW_S = 2.0
GOING_AWAY, POLICY_VIOLATION, TOO_BIG, SERVICE_RESTART = 1001, 1008, 1009, 1012
_CLOSE_WAIT_S = 2.0


class ClientEnd:
    """Copies bytes between a client's connection and a tunnel to a replica.

    Args:
        connection: Of the client.
        tunnel: To the replica, after its 101.
        bounds: Of the stream.
        stay: Called every two seconds; raises when the sender may not stay.

    Attributes:
        reason: Why the gateway ended the stream; None when a side did.
    """

    def __init__(
        self,
        connection: HttpConnection,
        tunnel: Tunnel,
        bounds: StreamBounds,
        stay: Callable[[], Awaitable[None]],
    ) -> None:
        self.reason: str | None = None
        self._connection = connection
        self._tunnel = tunnel
        self._bounds = bounds
        self._stay = stay
        self._done: asyncio.Future[None] = connection.loop.create_future()
        self._received = 0
        self._window = (connection.loop.time(), 0)
        self._asked_at = connection.loop.time()
        self._asking: asyncio.Task[None] | None = None
        self._give_up_at: float | None = None

    async def run(self) -> None:
        """Until a side closes, or a bound is passed."""
        self._connection.take_over(self)
        self._tunnel.attach(self)
        try:
            await self._done
        finally:
            if self._asking is not None:
                self._asking.cancel()
            self._tunnel.close()
            self._connection.close()

    # What the client's connection calls.

    def received(self, data: bytes) -> None:
        """Bytes of the client."""
        self._received += len(data)
        if self._received > self._bounds.max_bytes:
            self._end(TOO_BIG, "too_many_bytes")
        else:
            self._tunnel.write(data)

    def lost(self) -> None:
        """The client is gone."""
        self._finish()

    def slow_down(self) -> None:
        """The client reads too slowly."""
        self._tunnel.pause()

    def go_on(self) -> None:
        """The client has caught up."""
        self._tunnel.resume()

    def drain(self) -> None:
        """The process ends soon: tell the client to connect again."""
        self._end(SERVICE_RESTART, "draining")

    def check(self, now: float) -> None:
        """Keep the bounds."""
        if self._give_up_at is not None:
            if now >= self._give_up_at:
                self._connection.abort()
            return
        since, sent = self._window
        if now - self._tunnel.active_at > self._bounds.idle_s:
            self._end(GOING_AWAY, "idle")
        elif self._received - sent > self._bounds.max_rate * 10:
            self._end(POLICY_VIOLATION, "too_fast")
        if now - since >= 10:  # noqa: PLR2004 - seconds, as the bound says
            self._window = (now, self._received)
        if now - self._asked_at >= _RENEW_S and (self._asking is None or self._asking.done()):
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())

    # What the tunnel calls.

    def write(self, data: bytes) -> None:
        """Bytes of the replica."""
        self._connection.write(data)

    def close(self) -> None:
        """The replica has closed."""
        self._finish()

    def pause(self) -> None:
        """The replica reads too slowly."""
        self._connection.pause_reading()

    def resume(self) -> None:
        """The replica has caught up."""
        self._connection.resume_reading()

    async def _ask(self) -> None:
        try:
            await self._stay()
        except Unavailable:
            return  # Nobody can say now; asked again.
        except SpeechgateError:
            self._end(POLICY_VIOLATION, "credential_refused")

    def _end(self, code: int, reason: str) -> None:
        """Close with a code (RFC 6455 §7.4); the client answers it, or is dropped."""
        if self._give_up_at is None:
            self.reason = reason
            self._tunnel.inject_close(code)
            self._give_up_at = self._connection.loop.time() + _CLOSE_WAIT_S

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
