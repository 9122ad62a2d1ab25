"""Routes that operators have closed with a flag."""

import asyncio
from collections.abc import Iterable

from gateway.flags.client import FlagClient
from gateway.flags.names import kill_switch
from gateway.models.flags import FlagContext, FlagKind
from shared.logging import get_logger

INTERVAL_S = 10.0
_CONTEXT = FlagContext("gateway")
_logger = get_logger(__name__)


class KillSwitches:
    """The closed routes, computed when the flags change, so that asking is one look into a set.

    Args:
        client: What evaluates the flags.
        templates: Of the routes that can be closed.
        interval_s: Between computations without a change: strategies may depend on the time.
    """

    def __init__(
        self, client: FlagClient, templates: Iterable[str], *, interval_s: float = INTERVAL_S
    ) -> None:
        self._client = client
        self._names = {template: kill_switch(template) for template in templates}
        self._interval_s = interval_s
        self._closed: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        client.on_change(self.update)

    def closed(self, template: str) -> bool:
        """Whether a route is closed; from memory, never waits."""
        return template in self._closed

    def start(self) -> None:
        """Compute now and from time to time."""
        self.update()
        self._task = asyncio.create_task(self._loop(), name="kill-switches")

    async def stop(self) -> None:
        """Compute no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def update(self) -> None:
        """Compute which routes are closed."""
        flags = self._client.source.document.flags
        closed = frozenset(
            template
            for template, name in self._names.items()
            if name in flags
            and self._client.measure(name, _CONTEXT, default=False, kind=FlagKind.BOOLEAN).value
        )
        if closed != self._closed:
            _logger.warning("routes closed by kill switches", closed=sorted(closed))
        self._closed = closed

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            self.update()
