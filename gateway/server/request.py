"""One request and the way to answer it."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from gateway.server.body import RequestBody
from gateway.server.response import CRLF, LAST_CHUNK, Header, has_body, head
from gateway.server.shortcut import Begun, Shortcut

_CLOSE = b"connection: close\r\n"
_SWITCHING = 101
_CHUNKED = b"transfer-encoding: chunked\r\n"


class KnownSender(NamedTuple):
    """Who sent the last request of a connection; most connections have one sender.

    Attributes:
        presented: Header values that say so.
        credential: As read from them.
        digest: What it is known by in this process.
    """

    presented: tuple[bytes | None, bytes | None]
    credential: str
    digest: bytes


class Channel(Protocol):
    """The connection that a request came by."""

    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    server: tuple[str, int] | None
    closed: bool
    known: KnownSender | None

    def write(self, data: bytes) -> None:
        """Send to the client."""

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was written."""


class Request:
    """What a client asks, and what it was answered.

    Attributes:
        method: HTTP method.
        target: Path and query as sent.
        version: `1.1` or `1.0`.
        headers: Names in lower case.
        body: Of the request.
        channel: The connection.
        upgrades: The client wants another protocol on this connection.
        keep_alive: Another request may follow on this connection.
        started: The answer's head was sent.
        finished: The answer was sent whole.
        status: Of the answer; 0 before it.
        sent: Bytes of the answer's body.
        task: That answers it.
        left: Resolved when the client leaves; without it the task is cancelled then.
        raw_head: As it came; empty where it did not come in one piece.
        begun: What a short cut has done for it.
        shortcut: For those that follow on its connection.
    """

    __slots__ = (
        "_chunked",
        "_drop_body",
        "arrived",
        "begun",
        "body",
        "channel",
        "finished",
        "headers",
        "keep_alive",
        "left",
        "method",
        "raw_head",
        "sent",
        "shortcut",
        "started",
        "status",
        "target",
        "task",
        "upgrades",
        "version",
    )

    def __init__(
        self,
        channel: Channel,
        method: str,
        target: bytes,
        version: str,
        headers: list[Header],
        body: RequestBody,
        *,
        keep_alive: bool,
        upgrades: bool,
        arrived: float,
    ) -> None:
        self.channel = channel
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive
        self.upgrades = upgrades
        self.arrived = arrived
        self.started = False
        self.finished = False
        self.status = 0
        self.sent = 0
        self.task: asyncio.Task[None] | None = None
        self.left: asyncio.Future[None] | None = None
        self.raw_head = b""
        self.begun: Begun | None = None
        self.shortcut: Shortcut | None = None
        self._chunked = False
        self._drop_body = False

    def leave(self) -> None:
        """The client is gone before the answer was."""
        if self.left is not None:
            if not self.left.done():
                self.left.set_result(None)
        elif self.task is not None:
            self.task.cancel()

    def _settle(self) -> None:
        """Decide whether the connection outlives this answer."""
        if not self.body.ended and not self.body.soon_over:
            self.keep_alive = False

    def respond(
        self, status: int, headers: Iterable[Header], body: bytes, lines: bytes = b""
    ) -> None:
        """Answer whole.

        Args:
            status: Of the answer.
            headers: With `content-length` unless the status has no body.
            body: All of it.
            lines: More fields, as they are sent.
        """
        if not self.body.ended:
            self._settle()
        self.started = self.finished = True
        self.status = status
        first = head(status, headers, lines if self.keep_alive else lines + _CLOSE)
        if body and has_body(self.method, status):
            self.sent = len(body)
            first += body
        self.channel.write(first)

    def start(
        self, status: int, headers: Iterable[Header], *, framed: bool, lines: bytes = b""
    ) -> None:
        """Send the head of an answer whose body follows in parts.

        Args:
            status: Of the answer.
            headers: Without `transfer-encoding`.
            framed: They contain `content-length`.
            lines: More fields, as they are sent.
        """
        self._settle()
        self.started = True
        self.status = status
        self._drop_body = not has_body(self.method, status)
        last = lines
        if not framed and not self._drop_body:
            if self.version == "1.1":
                self._chunked, last = True, lines + _CHUNKED
            else:
                self.keep_alive = False
        if not self.keep_alive and status != _SWITCHING:
            last += _CLOSE
        self.channel.write(head(status, headers, last))

    def write(self, part: bytes) -> None:
        """Send a part of the body."""
        if not part or self._drop_body:
            return
        self.sent += len(part)
        if self._chunked:
            # A large part is not copied for the sake of its frame.
            self.channel.write(b"%x\r\n" % len(part))
            self.channel.write(part)
            self.channel.write(CRLF)
        else:
            self.channel.write(part)

    def finish(self) -> None:
        """The body has been sent."""
        if not self.finished:
            self.finished = True
            if self._chunked:
                self.channel.write(LAST_CHUNK)


def unreadable(channel: Channel, body: RequestBody) -> Request:
    """In place of a request that could not be read, so that it can be answered."""
    arrived = channel.loop.time()
    body.end()
    return Request(
        channel, "GET", b"/", "1.1", [], body, keep_alive=False, upgrades=False, arrived=arrived
    )
