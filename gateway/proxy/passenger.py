"""The client's end of a tunnel."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.models.streams import StreamBounds
from gateway.proxy.watch import StreamWatch
from gateway.server.connection import HttpConnection
from gateway.upstream.tunnel import Tunnel
from shared.streams import RESTART

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
        self._done: asyncio.Future[None] = connection.loop.create_future()
        self._watch = StreamWatch(bounds, connection.loop.time(), stay, self._end)
        self._give_up_at: float | None = None

    async def run(self) -> None:
        """Until a side closes, or a bound is passed."""
        self._connection.take_over(self)
        self._tunnel.attach(self)
        try:
            await self._done
        finally:
            self._watch.stop()
            self._tunnel.close()
            self._connection.close()

    # What the client's connection calls.

    def received(self, data: bytes) -> None:
        """Bytes of the client."""
        verdict = self._watch.count(len(data))
        if verdict is None:
            self._tunnel.write(data)
        else:
            self._end(*verdict)

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
        self._end(RESTART, "draining")

    def check(self, now: float) -> None:
        """Keep the bounds."""
        if self._give_up_at is not None:
            if now >= self._give_up_at:
                self._connection.abort()
            return
        verdict = self._watch.check(now, self._tunnel.active_at)
        if verdict is not None:
            self._end(*verdict)

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

    def _end(self, code: int, reason: str) -> None:
        """Close with a code (RFC 6455 §7.4); the client answers it, or is dropped."""
        if self._give_up_at is None:
            self.reason = reason
            self._tunnel.inject_close(code)
            self._give_up_at = self._connection.loop.time() + _CLOSE_WAIT_S

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
