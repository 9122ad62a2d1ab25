"""The HTTP client of the proxied path, as the rest of the gateway sees it.

It moves bytes: no redirects, no cookies, no decompression, no header of its own making but the
framing.
"""

from collections.abc import AsyncIterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from gateway.upstream.asked import AskedConnection
    from gateway.upstream.tunnel import Tunnel

Header = tuple[bytes, bytes]


class ConnectFailed(Exception):
    """No connection; not a byte was sent, so that another replica may be tried."""


class NotSent(ConnectFailed):
    """A kept-alive connection was closed before it answered a byte: the service never began.

    RFC 9110 §9.2.2 lets an idempotent request be sent again; another is too when its body was
    not taken from the client yet or is still whole in memory.
    """


class UpstreamBroken(Exception):
    """The connection broke after the request began; what the service did is unknown.

    Attributes:
        replayable: Nothing was taken from the request's body that cannot be had again.
    """

    replayable = False


class UpstreamTimeout(Exception):
    """No complete answer in time."""


class OutgoingBody(Protocol):
    """A request body on its way from the client to a service.

    Attributes:
        error: Why the client's side of it failed; such a failure is not the replica's.
    """

    error: Exception | None

    def open(self) -> tuple[bytes, ...] | AsyncIterable[bytes]:
        """The body; called again only after an attempt that took nothing from it.

        A tuple is the whole body, and may be sent twice.
        """


class UpstreamRequest(NamedTuple):
    """A request to a service.

    Attributes:
        method: HTTP method.
        target: Raw path and query, as the client sent them.
        headers: Without hop-by-hop fields and `host`; `content-length` when the body's length
            is known, else the client frames the body itself (chunked).
        body: None for no body.
        idempotent: It may be sent again to another replica when the first did not answer.
        deadline: `loop.time()` at which the whole answer must be there.
        affinity: Token of the replica that it must go to; see `replica_token`.
    """

    method: str
    target: str
    headers: Sequence[Header]
    body: OutgoingBody | None
    idempotent: bool = False
    deadline: float | None = None
    affinity: str | None = None


class UpstreamResponse(Protocol):
    """An answer whose body has not been read.

    Attributes:
        status: Of the final answer; informational ones (1xx) are skipped.
        headers: Names in lower case.
    """

    status: int
    headers: Sequence[Header]

    def take(self) -> tuple[bytes, bool]:
        """What has arrived of the body (may be empty), and whether more may follow. No waiting."""

    async def read(self) -> tuple[bytes, bool]:
        """The next part of the body, and whether more may follow.

        Raises:
            UpstreamBroken: It ended before its end.
            UpstreamTimeout: It took too long.
        """

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end."""


class UpstreamClient(Protocol):
    """Sends requests over kept-alive connections."""

    async def send(
        self, base_url: str, request: UpstreamRequest, lines: bytes = b""
    ) -> UpstreamResponse:
        """The answer's head.

        Args:
            base_url: Of the replica.
            request: What to send.
            lines: Whole field lines to add to it, for this attempt.

        Raises:
            ConnectFailed: No connection within the connect time-out.
            UpstreamBroken: It broke before the head of the answer.
            UpstreamTimeout: No head in time.
            Exception: The body's own `error`.
        """

    def take_idle(self, base_url: str) -> "AskedConnection | None":
        """A connection that a request can be sent over at once, if there is one."""

    async def upgrade(
        self, base_url: str, request: UpstreamRequest, lines: bytes = b""
    ) -> "Tunnel | UpstreamResponse":
        """Ask for a WebSocket on a connection of its own; arguments and errors as in `send`.

        Returns:
            The tunnel after a 101; any other answer as it is.
        """

    async def close(self) -> None:
        """Close every connection."""
