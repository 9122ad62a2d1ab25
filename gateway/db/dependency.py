"""The state of something that the gateway can do without for a while.

A run of failures marks it down. Calls then fail at once instead of waiting for a time-out each,
and a background probe, not a client's request, finds out when it is back.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge

from shared.logging import get_logger

_logger = get_logger(__name__)


class Dependency:
    """One dependency and its probe.

    Args:
        name: Label of the metric and the log.
        probe: Raises when the dependency does not work.
        gauge: `speechgate_dependency_up{dependency}`.
        max_failures: Failed calls in a row that mark it down; a failed probe does so alone.
        probe_timeout_s: A slower probe has failed.
        interval_s: Between probes while up; while down it is `retry_s`.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Awaitable[object]],
        gauge: Gauge,
        *,
        max_failures: int = 3,
        probe_timeout_s: float = 2.0,
        interval_s: float = 5.0,
        retry_s: float = 0.5,
    ) -> None:
        self.name = name
        self.down_since: float | None = None
        self._probe = probe
        self._gauge = gauge.labels(name)
        self._gauge.set(1)
        self._max_failures = max_failures
        self._probe_timeout_s = probe_timeout_s
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether calls are worth trying."""
        return self.down_since is None

    def down_for_s(self) -> float:
        """Seconds since it was found down; 0 while up."""
        return 0.0 if self.down_since is None else time.monotonic() - self.down_since

    def succeeded(self) -> None:
        """A call worked."""
        self._failures = 0
        if self.down_since is not None:
            _logger.info("dependency is back", dependency=self.name)
            self.down_since = None
            self._gauge.set(1)

    def failed(self, error: BaseException, *, conclusive: bool = False) -> None:
        """A call failed because of the dependency."""
        self._failures += 1
        if self.down_since is None and (conclusive or self._failures >= self._max_failures):
            _logger.error("dependency is down", dependency=self.name, error=type(error).__name__)
            self.down_since = time.monotonic()
            self._gauge.set(0)
            self._wake.set()

    def start(self) -> None:
        """Begin to probe."""
        self._task = asyncio.create_task(self._watch(), name=f"probe-{self.name}")

    async def stop(self) -> None:
        """End the probe."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._probe_timeout_s):
                    await self._probe()
            except Exception as error:  # noqa: BLE001 - whatever a driver raises is a failure
                self.failed(error, conclusive=True)
            else:
                self.succeeded()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s if self.up else self._retry_s):
                    await self._wake.wait()
