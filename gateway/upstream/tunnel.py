"""A connection after an upgrade: bytes are copied, not read."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.upstream.frames import FrameTracker, close_frame
from gateway.upstream.origin import Origin
from gateway.upstream.protocol import Header

SERVICE_RESTART = 1012
_CLOSE_TIMEOUT_S = 2.0


class Sink(Protocol):
    """The client's side of a tunnel."""

    def write(self, data: bytes) -> None:
        """Bytes of the service."""

    def close(self) -> None:
        """The service closed the connection; what was written may still be sent."""

    def pause(self) -> None:
        """The service reads slowly: take no more from the client for now."""

    def resume(self) -> None:
        """Take more."""


class Tunnel(asyncio.Protocol):
    """The service's side of a tunnel.

    Nothing is read from the service until `attach`, so that nothing needs a buffer.

    Attributes:
        status: 101.
        headers: Of the service's answer, names in lower case.
        rest: What the service sent behind them; `attach` writes it.
        replica: Base URL of the replica.
        bytes_in: From the client to the service.
        bytes_out: From the service to the client.
        active_at: `loop.time()` of the last byte in either direction, to a quarter of a second.
        hook: Called about four times a second with the tunnel and `loop.time()`; may close it.
        closed: The service's side is closed, or about to be.
    """

    __slots__ = (
        "_close_at",
        "_frames",
        "_injected",
        "_lost",
        "_muted",
        "_on_closed",
        "_origin",
        "_seen",
        "_sink",
        "_transport",
        "active_at",
        "bytes_in",
        "bytes_out",
        "closed",
        "headers",
        "hook",
        "replica",
        "rest",
        "status",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        origin: Origin,
        status: int,
        headers: Sequence[Header],
        rest: bytes,
    ) -> None:
        self._transport = transport
        self._origin = origin
        self._sink: Sink | None = None
        self._frames = FrameTracker()
        self._injected: bytes | None = None  # A close frame that waits for the end of a frame.
        self._muted = False
        self._seen = 0
        self._on_closed: Callable[[], None] | None = None
        self._lost = False
        self._close_at: float | None = None
        self.status = status
        self.headers = headers
        self.rest = rest
        self.replica = ""
        self.bytes_in = 0
        self.bytes_out = 0
        self.active_at = asyncio.get_running_loop().time()
        self.hook: Callable[[Tunnel, float], None] | None = None
        self.closed = False
        origin.tunnels.add(self)
        transport.pause_reading()
        transport.set_protocol(self)

    # What the client's side calls.

    def attach(self, sink: Sink) -> None:
        """Begin to copy."""
        self._sink = sink
        if self._injected is not None:
            self._inject(sink)
        if self.rest:
            rest, self.rest = self.rest, b""
            self.data_received(rest)
        if self.closed:
            sink.close()
        else:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Bytes of the client."""
        self.bytes_in += len(data)
        self._transport.write(data)

    def pause(self) -> None:
        """The client reads slowly."""
        if not self.closed:
            self._transport.pause_reading()

    def resume(self) -> None:
        """It has caught up."""
        if not self.closed:
            self._transport.resume_reading()

    def inject_close(self, code: int = SERVICE_RESTART) -> None:
        """Send the client a close frame as soon as no frame is under way; the last it gets.

        The client's own close frame then goes to the service, which ends the connection.
        """
        if self._frames.closing or self._muted or self._injected is not None:
            return
        self._injected = close_frame(code)
        if self._sink is not None:
            self._inject(self._sink)

    def close(self) -> None:
        """The client is gone, or must go."""
        if not self.closed:
            self.closed = True
            self._transport.close()
            self._close_at = asyncio.get_running_loop().time() + _CLOSE_TIMEOUT_S

    def when_closed(self, call: Callable[[], None]) -> None:
        """Have this called once, when the service's side is closed."""
        if self._lost:
            call()
        else:
            self._on_closed = call

    # What the sweep calls.

    def sweep(self, now: float) -> None:
        """Look after the tunnel."""
        total = self.bytes_in + self.bytes_out
        if total != self._seen:
            self._seen = total
            self.active_at = now
        if self._close_at is not None and now >= self._close_at:
            # The service does not take what is still to be sent.
            self._transport.abort()
        elif self.hook is not None and not self.closed:
            self.hook(self, now)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Bytes of the service."""
        self.bytes_out += len(data)
        sink = self._sink
        if sink is None:
            self.rest += data  # A read was under way when reading was paused.
        elif self._muted:
            return
        elif self._injected is None:
            self._frames.feed(data)
            sink.write(data)
        else:
            end = self._frames.feed(data, until_boundary=True)
            sink.write(data[:end])
            self._inject(sink)

    def pause_writing(self) -> None:
        """The service reads slowly."""
        if self._sink is not None:
            self._sink.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._sink is not None:
            self._sink.resume()

    def connection_lost(self, _error: Exception | None) -> None:
        """The service's side is closed."""
        self.closed = True
        origin, sink = self._origin, self._sink
        origin.tunnels.discard(self)
        origin.opened -= 1
        self._lost = True
        if self._on_closed is not None:
            self._on_closed()
        if sink is not None:
            sink.close()

    def _inject(self, sink: Sink) -> None:
        frames = self._frames
        if self._injected is None or not frames.between_frames:
            return
        if not frames.closing:
            sink.write(self._injected)
        self._injected = None
        self._muted = True
