"""Flags in memory: for tests, and for a gateway that is given no source."""

import time
from collections.abc import Mapping
from typing import Any

from openfeature.event import ProviderEventDetails
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from gateway.flags.document import FlagDocument
from gateway.models.flags import Flag


class MemoryProvider(InMemoryProvider):
    """OpenFeature's own provider, as a source of flags.

    Args:
        flags: By name; none when absent.
    """

    source = "none"

    def __init__(self, flags: Mapping[str, InMemoryFlag[Any]] | None = None) -> None:
        super().__init__(dict(flags or {}))
        self.document = _described(self._flags)
        self.stale = False
        self.refreshed_at: float | None = time.time()

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def refresh(self) -> None:
        """Nothing to ask."""

    def replace(self, flags: Mapping[str, InMemoryFlag[Any]]) -> None:
        """Take other flags."""
        self._flags = dict(flags)
        self.document = _described(self._flags)
        self.emit_provider_configuration_changed(ProviderEventDetails())


def _described(flags: Mapping[str, InMemoryFlag[Any]]) -> FlagDocument:
    return FlagDocument(
        {
            name: Flag(
                name,
                flag.state is InMemoryFlag.State.ENABLED,
                variants=tuple(flag.variants),
            )
            for name, flag in flags.items()
        }
    )
