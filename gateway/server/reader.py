"""The parsing half of a client connection: bytes in, requests and their bodies out."""

import asyncio
from abc import abstractmethod

import httptools

from gateway.server.body import RequestBody
from gateway.server.channel import ClientChannel
from gateway.server.limits import ConnectionLimits
from gateway.server.request import Request
from gateway.server.response import Header
from gateway.server.service import HeadTooLarge
from shared.problem import BadRequest, SpeechgateError

_LARGE_BYTES = 16 * 1024


class RequestReader(ClientChannel):
    """Parses requests one after another."""

    def __init__(self, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limits, loop)
        self._parser = httptools.HttpRequestParser(self)
        self._draining = False
        self._receiving: Request | None = None
        self._target = b""
        self._headers: list[Header] = []
        self._in_head = False
        self._head_bytes = 0
        self._fed = 0
        self._fresh = b""  # What came when no request was under way, until one is found in it.
        self._left = 0  # Bytes of a body that pass by the parser.

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        super().connection_lost(error)
        del self._parser  # It refers to this object: both would wait for the garbage collector.

    # What a connection does with what is read.

    @abstractmethod
    def _head_began(self) -> None:
        """The first byte of a request came."""

    @abstractmethod
    def _arrived(self, request: Request) -> None:
        """The head of a request is complete."""

    @abstractmethod
    def _body_ended(self, request: Request) -> None:
        """The body of a request is complete."""

    @abstractmethod
    def _keep_early(self, data: bytes) -> None:
        """Bytes came that belong to the protocol of an upgrade."""

    # What request bodies call.

    @abstractmethod
    def hold(self) -> None:
        """Read no more of a body for now."""

    @abstractmethod
    def flow(self) -> None:
        """Read on."""

    @abstractmethod
    def send_continue(self) -> None:
        """Tell the client to send the body."""

    @abstractmethod
    def _reject(self, error: SpeechgateError) -> None:
        """What came cannot be read as a request."""

    def _read(self, data: bytes) -> bool:
        """Parse bytes; False when they were no HTTP."""
        if self._left:
            data = self._pass_on(data)
            if not data:
                return True
        self._fed = len(data)
        self._fresh = b"" if self._in_head or self._receiving is not None else data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._keep_early(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            if not self.closed:
                self._reject(BadRequest("This is not a well-formed HTTP/1.1 request."))
            return False
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.max_head_bytes:
                self._reject(HeadTooLarge("The head of the request is too large."))
        elif self._fed >= _LARGE_BYTES and self._receiving is not None:
            self._left = _rest_of(self._receiving)
        return True

    def _pass_on(self, data: bytes) -> bytes:
        """Take the rest of a body, which needs no parser and no copy; what comes after it."""
        size, left = len(data), self._left
        if size < left:
            self._left = left - size
            self.on_body(data)
            return b""
        self._left = 0
        self._parser = httptools.HttpRequestParser(self)  # The last one waits for the rest.
        self.on_body(data if size == left else data[:left])
        self.on_message_complete()
        return data[left:]

    # What the parser calls.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._target, self._headers = b"", []
        self._in_head, self._head_bytes = True, 0
        self._head_began()

    def on_url(self, part: bytes) -> None:
        """The request target, or a part of it."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field; trailers are dropped."""
        if self._in_head:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head = False
        parser, headers = self._parser, self._headers
        if len(headers) > self._limits.max_fields or self._is_large(headers):
            self._reject(HeadTooLarge("The head of the request is too large."))
            return
        version = parser.get_http_version()
        request = Request(
            self,
            parser.get_method().decode("ascii"),
            self._target,
            version,
            headers,
            RequestBody(self),
            keep_alive=version == "1.1" and parser.should_keep_alive() and not self._draining,
            upgrades=parser.should_upgrade(),
            arrived=self.loop.time(),
        )
        if request.upgrades:
            request.keep_alive = False
        fresh, self._fresh = self._fresh, b""
        if fresh:
            request.raw_head = fresh[: fresh.find(b"\r\n\r\n") + 4]
        self._receiving = request
        self._arrived(request)

    def on_body(self, data: bytes) -> None:
        """A part of a body."""
        request = self._receiving
        if request is None:
            return
        request.body.feed(data)
        if request.finished and request.body.received > self._limits.linger_bytes:
            self.close()

    def on_message_complete(self) -> None:
        """The body is complete."""
        request, self._receiving = self._receiving, None
        if request is not None:
            request.body.end()
            self._body_ended(request)

    def _is_large(self, headers: list[Header]) -> bool:
        """Whether a head that came in one piece is over its bound; most pieces are under it."""
        if self._fed <= self._limits.max_head_bytes:
            return False
        size = len(self._target) + sum(len(name) + len(value) for name, value in headers)
        return size > self._limits.max_head_bytes


def _rest_of(request: Request) -> int:
    """Bytes of a body that are still to come; 0 where only the parser can say."""
    for name, value in request.headers:
        if name == b"content-length":  # The parser lets one through, and no chunks beside it.
            return int(value) - request.body.received
    return 0
