"""The HTTP client of what is no proxied request: health, documents."""

import ssl

import httpx


def control_client() -> httpx.AsyncClient:
    """A client that loads the certificates of the world's authorities when it first needs them.

    They take 3 MB of a process, and services are mostly asked by http.
    """
    # A context that trusts nobody: this transport never gets an https URL.
    plain = httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    return httpx.AsyncClient(trust_env=False, transport=plain, mounts={"https://": _Tls()})


class _Tls(httpx.AsyncBaseTransport):
    """The transport for https, made when it is first used."""

    def __init__(self) -> None:
        self._made: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`."""
        if self._made is None:
            self._made = httpx.AsyncHTTPTransport(trust_env=False)
        return await self._made.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what was made."""
        if self._made is not None:
            await self._made.aclose()
