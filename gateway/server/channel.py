"""The transport's half of a client connection: writing, back-pressure, slow readers."""

import asyncio
from typing import Any, Protocol

from gateway.server.body import ClientLeft
from gateway.server.limits import ConnectionLimits
from gateway.server.request import KnownSender
from gateway.server.shortcut import Shortcut

NEVER = float("inf")


class Passenger(Protocol):
    """Takes a connection's bytes after an upgrade."""

    def received(self, data: bytes) -> None:
        """Bytes of the client."""

    def lost(self) -> None:
        """The client is gone."""

    def slow_down(self) -> None:
        """The client reads too slowly: write no more for now."""

    def go_on(self) -> None:
        """The client has caught up."""

    def drain(self) -> None:
        """The process ends soon."""

    def check(self, now: float) -> None:
        """Called about twice a second."""


class ClientChannel(asyncio.Protocol):
    """A connection that can be written to.

    Attributes:
        client: Address and port of the other side.
        server: Of this side.
        deadline: `loop.time()` after which `check` is called.
        passenger: Who has taken the connection over.
        known: Who sent the last request.
        shortcut: Answers the next one, if it is like the last.
        strangers: How often in a row it was not.
        closed: The client is gone.
    """

    def __init__(self, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int] | None = None
        self.deadline = NEVER
        self.passenger: Passenger | None = None
        self.known: KnownSender | None = None
        self.shortcut: Shortcut | None = None
        self.strangers = 0
        self.closed = False
        self._limits = limits
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._drained: asyncio.Future[None] | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = transport  # type: ignore[assignment]
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _address(transport.get_extra_info("sockname"))

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        self.closed = True
        self.deadline = NEVER
        if self.passenger is not None:
            self.passenger.lost()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def write(self, data: bytes) -> None:
        """Send to the client."""
        if not self.closed:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was written.

        Raises:
            ClientLeft: It is gone.
        """
        if self._drained is not None:
            await self._drained
        if self.closed:
            raise ClientLeft

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self.loop.time() + self._limits.send_timeout_s
        if self.shortcut is not None:
            self.shortcut.give_up()
        if self.passenger is not None:
            self.passenger.slow_down()
        if self._drained is None:
            self._drained = self.loop.create_future()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self.passenger is not None:
            self.passenger.go_on()
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    def take_over(self, passenger: Passenger) -> None:
        """Give the connection's bytes to somebody else, for good."""
        self.passenger = passenger
        self.deadline = self.loop.time()
        self.resume_reading()

    def pause_reading(self) -> None:
        """Read no more for now."""
        if not self.closed:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self.closed:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close once everything is written."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def check(self, now: float) -> None:
        """Act on a deadline that has passed."""
        if self.passenger is not None:
            self.passenger.check(now)
        elif self._drained is not None:
            self._check_reader(now)

    def _check_reader(self, now: float) -> None:
        """Give up on a client that takes nothing of what waits for it."""
        unsent = self._transport.get_write_buffer_size()
        if unsent >= self._unsent:
            self._transport.abort()
        else:
            self._unsent = unsent
            self.deadline = now + self._limits.send_timeout_s


def _address(found: Any) -> tuple[str, int] | None:
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None
