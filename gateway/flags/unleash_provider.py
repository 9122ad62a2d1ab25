"""Flags from Unleash, through its asynchronous client.

Imported only where Unleash is configured: the client brings some 20 MB with it.
"""

import asyncio
import hashlib
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from UnleashClient.cache import BaseCache
from UnleashClient.clients.async_unleash_client import AsyncUnleashClient
from UnleashClient.constants import ETAG, FEATURES_URL
from UnleashClient.utils import InstanceAllowType

from gateway.exceptions import FlagsUnavailable
from gateway.flags.document import FlagDocument, MalformedFlags
from gateway.flags.engine import APPLICATION, EngineProvider, Verdict, load_engine
from shared.logging import get_logger

REQUEST_TIMEOUT_S = 5
START_TIMEOUT_S = 2.0
_logger = get_logger(__name__)


class UnleashProvider(EngineProvider):
    """Polls Unleash; evaluates in memory with what it said last, also after it has died.

    Args:
        url: Base URL of the server.
        token: A backend token; it decides the environment.
        environment: The environment's name.
        refresh_s: Between polls.
        cache_file: Keeps the flags over a restart of the process; None keeps them in memory.
        read_only: The file belongs to another process, which may run under another account.
        known: The flags as they were known elsewhere, for a start without server and file.
    """

    source = "unleash"

    def __init__(
        self,
        url: str,
        token: str,
        environment: str,
        *,
        refresh_s: float,
        cache_file: Path | None = None,
        read_only: bool = False,
        known: FlagDocument | None = None,
    ) -> None:
        super().__init__(environment)
        self._url = url.rstrip("/")
        self._token = token
        self._refresh_s = refresh_s
        self._cache_file = cache_file
        self._read_only = read_only
        self._known_elsewhere = known
        self._client: AsyncUnleashClient | None = None
        self._cache: _Handover | None = None
        self._starting: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._refreshing = asyncio.Lock()

    async def open(self) -> None:
        """Start from the last known flags and ask the server, waiting 2 s at most."""
        # It logs a stack trace for each poll that fails; what matters of that is logged here.
        logging.getLogger("UnleashClient").setLevel(logging.CRITICAL)
        known = self._from_file() or self._known_elsewhere
        if known is not None:
            self._remember(known)
        self._client, self._cache = self._make_client()
        self._starting = asyncio.create_task(self._client.initialize_client(), name="flags-unleash")
        await asyncio.wait({self._starting}, timeout=START_TIMEOUT_S)

    async def close(self) -> None:
        """Stop polling; what was counted for Unleash is sent if it answers."""
        if self._client is not None:
            await self._retire(self._client)
        await asyncio.gather(*self._retiring, return_exceptions=True)

    async def refresh(self) -> None:
        """Ask the server now: a new client takes the old one's place when it was answered.

        Raises:
            FlagsUnavailable: The server does not answer.
        """
        async with self._refreshing:
            client, cache = self._make_client()
            await client.initialize_client()
            if cache.answer is None:
                await _destroy(client)
                raise FlagsUnavailable("Unleash does not answer.")
            old, self._client, self._cache = self._client, client, cache
            self._asked(cache)
            if old is not None:
                retiring = asyncio.create_task(self._retire(old), name="flags-unleash-old")
                self._retiring.add(retiring)
                retiring.add_done_callback(self._retiring.discard)

    async def _retire(self, client: AsyncUnleashClient) -> None:
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        await _destroy(client)

    def _make_client(self) -> "tuple[AsyncUnleashClient, _Handover]":
        cache = _Handover(self.document.text if self._knows else None, self._asked)
        client = AsyncUnleashClient(
            self._url + "/api",
            APPLICATION,
            environment=self.environment,
            instance_id=f"{socket.gethostname()}-{os.getpid()}",
            refresh_interval=self._refresh_s,  # type: ignore[arg-type] # seconds, also parts
            disable_registration=True,  # Its reports of use make the application known.
            custom_headers={"Authorization": self._token},
            request_timeout=REQUEST_TIMEOUT_S,
            request_retries=0,  # The next poll is the retry.
            cache=cache,
            multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
        )
        return client, cache

    def _asked(self, cache: "_Handover") -> None:
        """A poll ended, and the engine has what it brought."""
        if cache is not self._cache:
            return
        if cache.answer is None:
            self._lost(cache.why)
            return
        document = cache.answer
        if document is not self.document and not self._read_only:
            self._to_file(document)
        self._learned(document)

    def _verdict(self, name: str, context: dict[str, Any], *, boolean: bool) -> Verdict:
        client = self._client
        if client is None:
            return Verdict(enabled=False)
        if boolean:
            return Verdict(client.is_enabled(name, context))
        found = client.get_variant(name, context)
        if not found["enabled"]:
            return Verdict(found["feature_enabled"])
        return Verdict(found["feature_enabled"], found["name"], found.get("payload"))

    def _from_file(self) -> FlagDocument | None:
        if self._cache_file is None:
            return None
        try:
            document = FlagDocument.parse(self._cache_file.read_bytes())
            load_engine(document)
        except FileNotFoundError:
            return None
        except (OSError, MalformedFlags) as error:
            _logger.warning("flags cache file is unusable", error=type(error).__name__)
            return None
        return document

    def _to_file(self, document: FlagDocument) -> None:
        if self._cache_file is None:
            return
        partial = self._cache_file.with_name(f".{self._cache_file.name}.{os.getpid()}")
        try:
            self._cache_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(document.text)
            partial.replace(self._cache_file)
        except OSError as error:
            _logger.warning("flags cache file was not written", error=type(error).__name__)


class _Handover(BaseCache):
    """Stands between the client's polling and its engine, and tells how each poll ended.

    The client reports neither a failed poll nor one that changed nothing. It asks its cache for
    the ETag before a poll, stores what came, and reads the flags back when the poll has ended,
    however it did. The ETag stays empty: Unleash answers 304 without any header, which would
    look like a failure here.

    Attributes:
        answer: What the server last said; None after a poll that failed.
    """

    def __init__(self, known: str | None, ended: "Callable[[_Handover], None]") -> None:
        self.answer: FlagDocument | None = None
        self.why = "no answer"
        self._ended = ended
        self._text: str | None = None
        self._for_engine = known
        self._latest: FlagDocument | None = None
        self._received = False
        self._polling = False

    def set(self, key: str, value: Any) -> None:
        """Take what a poll brought."""
        if key != FEATURES_URL:
            return
        if self._latest is None or value != self._text:
            try:
                document = FlagDocument.parse(value)
                load_engine(document)
            except MalformedFlags as error:
                self.why = str(error)
                return
            if self._latest is None or document.text != self._latest.text:
                self._latest, self._for_engine = document, document.text
            self._text = value
        self._received = True

    def mset(self, data: dict[str, Any]) -> None:
        """Take nothing: times and ETags are of no use here."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give the engine what it does not have yet; None leaves it as it is."""
        if key == ETAG:
            self._polling, self._received, self.why = True, False, "no answer"
            return ""
        if key != FEATURES_URL:
            return default
        if self._polling:
            self._polling = False
            self.answer = self._latest if self._received else None
            # After this call the client loads its engine, and only then gives way.
            asyncio.get_running_loop().call_soon(self._ended, self)
        text, self._for_engine = self._for_engine, None
        return text

    def exists(self, key: str) -> bool:
        """Whether there is something to read back."""
        return key == FEATURES_URL and self._for_engine is not None

    def destroy(self) -> None:
        """Nothing to remove."""


async def _destroy(client: AsyncUnleashClient) -> None:
    try:
        await client.destroy()
    except Exception as error:  # noqa: BLE001 - it is not needed any more
        _logger.warning("Unleash client did not close", error=type(error).__name__)


def cache_file(folder: Path | None, url: str, environment: str) -> Path | None:
    """Where the flags of a server's environment are kept; None without a folder."""
    if folder is None:
        return None
    digest = hashlib.sha256(f"{url.rstrip('/')} {environment}".encode()).hexdigest()
    return folder / f"flags-{digest[:16]}.json"
