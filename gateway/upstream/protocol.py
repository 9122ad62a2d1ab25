"""The HTTP client of the proxied path, as the rest of the gateway sees it.

It moves bytes: no redirects, no cookies, no decompression, no header of its own making but the
framing. A leaner pool can take the place of aiohttp behind this.
"""

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Protocol

Header = tuple[bytes, bytes]


class ConnectFailed(Exception):
    """No connection; not a byte was sent, so that another replica may be tried."""


class UpstreamBroken(Exception):
    """The connection broke after the request began; what the service did is unknown."""


class UpstreamTimeout(Exception):
    """No complete answer in time."""


class OutgoingBody(Protocol):
    """A request body on its way from the client to a service.

    Attributes:
        error: Why the client's side of it failed; such a failure is not the replica's.
    """

    error: Exception | None

    def open(self) -> bytes | AsyncIterable[bytes]:
        """The body; called again only after an attempt that took nothing from it."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request to a service.

    Attributes:
        method: HTTP method.
        target: Raw path and query, as the client sent them.
        headers: Without hop-by-hop fields; `content-length` when the body's length is known.
        body: None for no body.
    """

    method: str
    target: str
    headers: Sequence[Header]
    body: OutgoingBody | None


class UpstreamResponse(Protocol):
    """An answer whose body has not been read."""

    status: int
    headers: Sequence[Header]

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

    async def send(self, base_url: str, request: UpstreamRequest) -> UpstreamResponse:
        """The answer's head.

        Raises:
            ConnectFailed: No connection within the connect time-out.
            UpstreamBroken: It broke before the head of the answer.
            UpstreamTimeout: No head in time.
            Exception: The body's own `error`.
        """

    async def close(self) -> None:
        """Close every connection."""
