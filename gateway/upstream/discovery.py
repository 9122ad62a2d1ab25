"""Keeps what is known of a service's replicas fresh."""

import asyncio
from collections.abc import Callable, Sequence

from prometheus_client import Counter

from gateway.upstream.sources import MIN_WAIT_S, ReplicaSource
from shared.logging import get_logger

MAX_WAIT_S = 30.0
_logger = get_logger(__name__)


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
