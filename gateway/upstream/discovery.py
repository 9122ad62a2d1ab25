"""Where the replicas of a service are, as it changes."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.rdatatype
from prometheus_client import Counter

from gateway.upstream.origin import Origin
from shared.logging import get_logger

MIN_WAIT_S, MAX_WAIT_S = 1.0, 30.0
_LOOKUP_TIMEOUT_S = 3.0
_PREFIXES = ("file:", "dns://", "srv://")
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """One look-up.

    Attributes:
        urls: Base URLs; empty when there are none.
        fresh_s: How long this may be believed.
    """

    urls: Sequence[str]
    fresh_s: float


class ReplicaSource(Protocol):
    """Where a service's replicas are looked up."""

    async def look_up(self) -> Found:
        """The replicas now; raises when they cannot be known."""


class FileSource:
    """A file with a base URL a line; `#` begins a comment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._urls: tuple[str, ...] = ()

    async def look_up(self) -> Found:
        """See `ReplicaSource`; the file is read when it has changed."""
        return Found(await asyncio.to_thread(self._read), MIN_WAIT_S)

    def _read(self) -> tuple[str, ...]:
        found = os.stat(self._path)  # noqa: PTH116 - Path.stat allocates the same
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            lines = (line.partition("#")[0] for line in self._path.read_text().splitlines())
            self._urls = _base_urls(lines)
            self._seen = seen
        return self._urls


class DnsSource:
    """The addresses of a name: A records, or AAAA records where there are none.

    Not both: the two addresses of one replica would count as two replicas.
    """

    def __init__(
        self, host: str, port: int, resolver: dns.asyncresolver.Resolver | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._resolver = resolver or dns.asyncresolver.Resolver()

    async def look_up(self) -> Found:
        """See `ReplicaSource`."""
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            answer = await self._resolver.resolve(
                self._host, kind, raise_on_no_answer=False, lifetime=_LOOKUP_TIMEOUT_S
            )
            if answer.rrset is not None:
                hosts = sorted(record.address for record in answer.rrset)
                if kind == dns.rdatatype.AAAA:
                    hosts = [f"[{host}]" for host in hosts]
                return Found([f"http://{host}:{self._port}" for host in hosts], answer.rrset.ttl)
        return Found((), MIN_WAIT_S)


class SrvSource:
    """SRV records (RFC 2782): the targets of the best priority; weights are not read."""

    def __init__(self, name: str, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._name = name
        self._resolver = resolver or dns.asyncresolver.Resolver()

    async def look_up(self) -> Found:
        """See `ReplicaSource`."""
        answer = await self._resolver.resolve(
            self._name, dns.rdatatype.SRV, raise_on_no_answer=False, lifetime=_LOOKUP_TIMEOUT_S
        )
        if answer.rrset is None:
            return Found((), MIN_WAIT_S)
        best = min(record.priority for record in answer.rrset)
        urls = {
            f"http://{record.target.to_text(omit_final_dot=True)}:{record.port}"
            for record in answer.rrset
            if record.priority == best
        }
        return Found(sorted(urls), answer.rrset.ttl)


def parse_replicas(
    text: str, resolver: dns.asyncresolver.Resolver | None = None
) -> tuple[str, ...] | ReplicaSource:
    """What a setting says about where replicas are.

    Args:
        text: `http://a:1,http://b:2`, `file:/path`, `dns://name:port` or `srv://_http._tcp.name`.
        resolver: The system's when absent.

    Raises:
        ValueError: It is none of these.
    """
    text = text.strip()
    if not text.startswith(_PREFIXES):
        return _base_urls(text.split(","))
    if text.startswith("file:"):
        return FileSource(Path(text.removeprefix("file:")))
    parts = urlsplit(text)
    if (
        not parts.hostname
        or parts.path not in ("", "/")
        or (parts.port is None) != (parts.scheme == "srv")
    ):
        raise ValueError(f"not a source of replicas: {text}")
    if parts.scheme == "srv":
        return SrvSource(parts.hostname, resolver)
    return DnsSource(parts.hostname, parts.port or 0, resolver)


def _base_urls(texts: Iterable[str]) -> tuple[str, ...]:
    urls = []
    for text in texts:
        url = text.strip().rstrip("/")
        if url:
            Origin(url, None, 0)
            urls.append(url)
    return tuple(dict.fromkeys(urls))


class Discovery:
    """Looks replicas up again and again.

    A failed or empty look-up changes nothing: what was found last is still the best guess.

    Args:
        service: Label of logs.
        source: Where to look.
        apply: Takes the replicas.
        failures: Counts look-ups that found nothing.
        max_wait_s: Longest time between look-ups, whatever the records' TTL.
    """

    def __init__(
        self,
        service: str,
        source: ReplicaSource,
        apply: Callable[[Sequence[str]], None],
        failures: Counter,
        *,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self._service = service
        self._source = source
        self._apply = apply
        self._failures = failures
        self._max_wait_s = max_wait_s
        self.looked_up = asyncio.Event()

    async def run(self) -> None:
        """Look up until cancelled."""
        while True:
            wait_s = await self._once()
            self.looked_up.set()
            await asyncio.sleep(wait_s)

    async def _once(self) -> float:
        try:
            found = await self._source.look_up()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look-up may work
            self._failed(type(error).__name__)
            return MIN_WAIT_S
        if not found.urls:
            self._failed("empty")
            return MIN_WAIT_S
        self._apply(found.urls)
        return min(max(found.fresh_s, MIN_WAIT_S), self._max_wait_s)

    def _failed(self, reason: str) -> None:
        self._failures.inc()
        _logger.warning("replicas not found", upstream=self._service, error=reason)
