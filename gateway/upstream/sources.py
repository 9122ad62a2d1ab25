"""Where the replicas of a service are, as a setting says it."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from gateway.upstream.origin import Origin

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

MIN_WAIT_S = 1.0
_PREFIXES = ("file:", "dns://", "srv://")


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


def parse_replicas(
    text: str, resolver: "Resolver | None" = None
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
    # Not at the top: most installations do without these 3 MB.
    from gateway.upstream.dns_sources import DnsSource, SrvSource  # noqa: PLC0415

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
