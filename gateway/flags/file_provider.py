"""Flags from a file that may be edited while the gateway runs."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.exceptions import FlagsUnavailable
from gateway.flags.document import FlagDocument, MalformedFlags
from gateway.flags.engine import EngineProvider, Verdict, load_engine

if TYPE_CHECKING:
    from yggdrasil_engine.engine import UnleashEngine  # type: ignore[import-untyped] # has none

INTERVAL_S = 0.5


class FileProvider(EngineProvider):
    """Follows a JSON file in the shape of `/api/client/features`.

    Args:
        path: The file. While it is absent or malformed, the flags that were read last stay.
        environment: Name of the environment that its flags belong to.
        interval_s: How often it is looked at.
    """

    source = "file"

    def __init__(self, path: Path, environment: str, *, interval_s: float = INTERVAL_S) -> None:
        super().__init__(environment)
        self._path = path
        self._interval_s = interval_s
        self._engine: UnleashEngine | None = None
        self._seen: tuple[int, int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the file and begin to watch it."""
        await self._look()
        self._task = asyncio.create_task(self._watch(), name="flags-file")

    async def close(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> None:
        """Read the file now.

        Raises:
            FlagsUnavailable: It is absent or malformed.
        """
        self._seen = None
        await self._look()
        if self.stale:
            raise FlagsUnavailable("The flags file cannot be read.")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self._look()

    async def _look(self) -> None:
        """Read the file if it is another one than last time."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen == self._seen:
                if not self.stale:
                    self._learned(self.document)
                return
            self._seen = seen
            document = FlagDocument.parse(await asyncio.to_thread(self._path.read_bytes))
            self._engine = load_engine(document)
        except (OSError, MalformedFlags) as error:
            if isinstance(error, OSError):
                self._seen = None
            self._lost(str(error) if isinstance(error, MalformedFlags) else type(error).__name__)
        else:
            self._learned(document)

    def _verdict(self, name: str, context: dict[str, Any], *, boolean: bool) -> Verdict:
        if self._engine is None:
            return Verdict(enabled=False)
        if boolean:
            return Verdict(self._engine.check_enabled(name, context).is_enabled)
        found = self._engine.check_variant(name, context).variant
        if not found.enabled:
            return Verdict(found.feature_enabled)
        return Verdict(found.feature_enabled, found.name, found.payload)
