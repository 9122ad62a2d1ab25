"""`UpstreamClient` over aiohttp."""

from collections.abc import Sequence
from functools import lru_cache

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.upstream.protocol import (
    ConnectFailed,
    Header,
    UpstreamBroken,
    UpstreamRequest,
    UpstreamResponse,
    UpstreamTimeout,
)

KEEPALIVE_S = 60.0  # Services keep idle connections for 75 s: this side closes first.
_AUTOMATIC = ("accept", "accept-encoding", "user-agent", "content-type")


@lru_cache(maxsize=256)
def _origin(base_url: str) -> URL:
    return URL(base_url)


class _Response:
    """One answer of aiohttp."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Sequence[Header] = [
            (name.lower(), value) for name, value in response.raw_headers
        ]

    async def read(self) -> tuple[bytes, bool]:
        content = self._response.content
        try:
            return await content.readany(), not content.at_eof()
        except TimeoutError as error:
            raise UpstreamTimeout from error
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamBroken from error

    def close(self) -> None:
        if self._response.content.at_eof() and self._response.content.exception() is None:
            self._response.release()
        else:
            self._response.close()


class AiohttpClient:
    """A pool of connections to all services.

    Args:
        connect_timeout_s: Longest wait for a connection.
        total_timeout_s: Longest time from the request to the end of the answer.
    """

    def __init__(self, *, connect_timeout_s: float, total_timeout_s: float) -> None:
        self._session = aiohttp.ClientSession(
            # The number of requests at a replica is bounded before they come here.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=total_timeout_s, sock_connect=connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AUTOMATIC,
            raise_for_status=False,
            trust_env=False,
        )

    async def send(self, base_url: str, request: UpstreamRequest) -> UpstreamResponse:
        """The answer's head; see `UpstreamClient`."""
        headers = CIMultiDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers
        )
        path, _, query = request.target.partition("?")
        url = _origin(base_url)
        url = URL.build(
            scheme=url.scheme,
            host=url.raw_host or "",
            port=url.port,
            path=path,
            query_string=query,
            encoded=True,
        )
        try:
            response = await self._session.request(
                request.method,
                url,
                headers=headers,
                data=request.body.open() if request.body else None,
                allow_redirects=False,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectFailed from error
        except TimeoutError as error:
            raise UpstreamTimeout from error
        except (aiohttp.ClientError, OSError) as error:
            if request.body is not None and request.body.error is not None:
                raise request.body.error from error
            raise UpstreamBroken from error
        return _Response(response)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
