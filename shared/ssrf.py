"""Fetches what a client's URL points to without being turned against our own network.

The name is resolved once; every answer must be globally routable; the connection goes to the
checked address while TLS and `Host` keep the name. No redirects, no proxies from the environment,
bounded bytes and time. (CWE-918; address registries: IANA special-purpose, RFC 6890.)
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from shared.problem import BadRequest, PayloadTooLarge

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
_OK = 200

_DENIED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598); Alibaba's metadata lives here
        "168.63.129.16/32",  # Azure's host agent: a public address with a private service
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation (RFC 9637), unknown to older Pythons
        "fec0::/10",  # site-local
    )
)
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")


class UriNotAllowed(BadRequest):
    """The URL points where we do not go."""

    status = 422
    title = "Unprocessable content"
    default_code = "uri_not_allowed"


class UriUnreachable(BadRequest):
    """The URL gave no content."""

    status = 422
    title = "Unprocessable content"
    default_code = "uri_unreachable"


class UriTooLarge(PayloadTooLarge):
    """The URL gave more than is read."""

    default_code = "uri_too_large"


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What may be fetched.

    Attributes:
        max_bytes: Largest answer.
        allow_http: Whether URLs without TLS are taken.
        ports: Ports that may be connected to.
        networks: Networks that are allowed although they are not public (a private store).
        hosts: Names whose addresses are all allowed.
        connect_timeout_s: Time to resolve and connect.
        total_timeout_s: Time for everything.
        max_url_length: Longest URL, in characters.
    """

    max_bytes: int
    allow_http: bool = False
    ports: frozenset[int] = frozenset({80, 443})
    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    connect_timeout_s: float = 3.0
    total_timeout_s: float = 30.0
    max_url_length: int = 2048

    def allows(self, host: str, address: str) -> bool:
        """Whether the host may be reached at this address."""
        parsed = ipaddress.ip_address(address.partition("%")[0])
        allowed = any(
            parsed.version == network.version and parsed in network for network in self.networks
        )
        return allowed or host.lower() in self.hosts or is_public(parsed)


def parse_allowed(entries: Iterable[str]) -> tuple[tuple[Network, ...], frozenset[str]]:
    """Split an allow-list into networks (`10.1.0.0/16`, `127.0.0.1`) and host names."""
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in filter(None, map(str.strip, entries)):
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            hosts.add(entry.lower())
    return tuple(networks), frozenset(hosts)


def is_public(address: Address) -> bool:
    """Whether an address is globally routable and no tunnel to one that may not be."""
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST_V6:
        return False
    return not any(address in network for network in _DENIED if network.version == address.version)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, by the system's resolver, off the event loop."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that the policy allows."""

    def __init__(self, policy: FetchPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - one deadline for the whole connect
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve once, check every answer, connect to the first that listens."""
        async with asyncio.timeout(self._policy.connect_timeout_s):
            addresses = await self._resolver(host, port)
            if not all(self._policy.allows(host, address) for address in addresses):
                raise UriNotAllowed("The URL's host is not on the public internet.")
            failure: Exception = OSError("no address")
            for address in addresses:
                try:
                    return await self._inner.connect_tcp(
                        address, port, None, local_address, socket_options
                    )
                except httpcore.ConnectError as error:
                    failure = error
            raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait between retries."""
        await asyncio.sleep(seconds)


class GuardedFetcher:
    """Downloads URLs that clients name; one per process.

    Args:
        policy: What may be fetched.
        resolver: Resolves host names.
        ssl_context: Trust for TLS; the bundled public roots when absent.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(trust_env=False),
            max_connections=64,
            max_keepalive_connections=0,  # A kept connection would outlive its check.
            network_backend=_CheckedBackend(policy, resolver),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()

    async def fetch(self, url: str) -> bytes:
        """The content of a URL.

        Raises:
            BadRequest: As `fetch_into`.
        """
        received = bytearray()
        await self.fetch_into(url, received.extend)
        return bytes(received)

    async def fetch_into(self, url: str, keep: Callable[[bytes], None]) -> None:
        """Pass the content of a URL on, part by part.

        Raises:
            UriNotAllowed: Its form, scheme, port or address is not allowed.
            UriUnreachable: No answer, not in time, or not a 200.
            UriTooLarge: More than `max_bytes`.
        """
        target = self._parse(url)
        try:
            async with asyncio.timeout(self._policy.total_timeout_s):
                await self._download(target, keep)
        except (TimeoutError, OSError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise UriUnreachable("The URL could not be fetched.") from error
        except httpcore.TimeoutException as error:
            raise UriUnreachable("The URL did not answer in time.") from error

    def _parse(self, url: str) -> httpcore.URL:
        """The URL in parts; what is checked here is what is connected to."""
        if len(url) > self._policy.max_url_length:
            raise UriNotAllowed("The URL is too long.")
        try:
            parsed = httpx.URL(url)
            host, port = parsed.raw_host, parsed.port
        except (httpx.InvalidURL, ValueError) as error:
            raise UriNotAllowed("The URL is malformed.") from error
        scheme = parsed.scheme
        if scheme != "https" and not (scheme == "http" and self._policy.allow_http):
            raise UriNotAllowed("The URL's scheme is not allowed.")
        if parsed.userinfo or not host or "\\" in url:
            raise UriNotAllowed("The URL's authority is not allowed.")
        port = port or (443 if scheme == "https" else 80)
        if port not in self._policy.ports:
            raise UriNotAllowed("The URL's port is not allowed.")
        return httpcore.URL(
            scheme=scheme.encode(), host=host, port=port, target=parsed.raw_path or b"/"
        )

    async def _download(self, url: httpcore.URL, keep: Callable[[bytes], None]) -> None:
        # httpcore writes the Host header from the URL. A packed answer could expand past the cap.
        headers = [(b"accept-encoding", b"identity"), (b"user-agent", b"speechgate")]
        received = 0
        async with self._pool.stream("GET", url, headers=headers) as response:
            if response.status != _OK:
                raise UriUnreachable("The URL did not answer with a 200; redirects are not taken.")
            declared = next((v for k, v in response.headers if k.lower() == b"content-length"), b"")
            if declared.isdigit() and int(declared) > self._policy.max_bytes:
                raise self._too_large()
            async for part in response.aiter_stream():
                received += len(part)
                if received > self._policy.max_bytes:
                    raise self._too_large()
                keep(part)

    def _too_large(self) -> UriTooLarge:
        return UriTooLarge(f"The URL's content is larger than {self._policy.max_bytes} bytes.")
