"""Bounded decoding of untrusted audio in sandboxed child processes.

The children are started ahead, so that a decode costs no process start. One that crashes, hangs
or answers nonsense is killed and replaced; its request alone is refused.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter, Histogram

from shared.audio.contract import DecodeBounds, DecodeRequest, Outline
from shared.audio.errors import refusal
from shared.audio.process import BrokenChild, ChildProcess
from shared.audio.scratch import ScratchFile, scratch_full
from shared.logging import get_logger
from shared.metrics import LATENCY_BUCKETS_S, Metrics
from shared.problem import Unavailable

_logger = get_logger(__name__)
_RESPAWN_DELAY_S = 1.0


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds on the pool and on each decode.

    Attributes:
        bounds: What the content may be.
        timeout_s: Longest decode of a small file; the child is then killed.
        bytes_per_s: A larger file gets a second more for so many bytes.
        max_timeout_s: Longest decode of any file.
        memory_bytes: Address space of a child.
        max_waiting: Requests that may wait for a child; more are answered 503.
        max_wait_s: Longest wait for a child.
        max_uses: Decodes after which a child is replaced, against slow leaks.
    """

    bounds: DecodeBounds = field(default_factory=DecodeBounds)
    timeout_s: float = 8.0
    bytes_per_s: int = 250_000
    max_timeout_s: float = 120.0
    memory_bytes: int = 1 << 30
    max_waiting: int = 128
    max_wait_s: float = 30.0
    max_uses: int = 5_000

    def time_for(self, size: int) -> float:
        """Seconds that the decode of a file of `size` bytes may take."""
        return max(
            self.timeout_s, min(self.timeout_s + size / self.bytes_per_s, self.max_timeout_s)
        )


class DecodePool:
    """Decodes files in child processes; one per service process.

    Args:
        limits: Bounds.
        metrics: Where decodes are timed and failures counted.
        size: Children, so decodes at once.
    """

    def __init__(self, limits: DecodeLimits, metrics: Metrics, *, size: int = 2) -> None:
        self._limits = limits
        self._size = size
        self._idle: asyncio.Queue[ChildProcess] = asyncio.Queue()
        self._children: set[ChildProcess] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting = 0
        self._closing = False
        self._duration = Histogram(
            "speechgate_decode_duration_seconds",
            "Time to decode one audio file",
            buckets=LATENCY_BUCKETS_S,
            registry=metrics.registry,
        )
        self._failures = Counter(
            "speechgate_decode_failures",
            "Audio files that were refused, by code",
            ["code"],
            registry=metrics.registry,
        )

    @property
    def track_bytes(self) -> int:
        """Distance of the tracks in a file that `decode` has written."""
        return self._limits.bounds.track_bytes

    async def start(self) -> None:
        """Start the children; returns when all can decode.

        Raises:
            BrokenChild: A child does not start: a broken installation.
        """
        await asyncio.gather(*(self._add_child() for _ in range(self._size)))

    async def close(self) -> None:
        """End the children."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(child.kill() for child in self._children))
        self._children.clear()

    async def check(self) -> None:
        """Raise unless a child is alive; a health check."""
        if not any(child.alive for child in self._children):
            raise Unavailable("No decoder process runs.", code="decoder_unavailable")

    async def decode(
        self, source: ScratchFile, output: ScratchFile, request: DecodeRequest
    ) -> Outline:
        """Decode a file into another; see `Outline` for what is then where.

        The caller may close both files at any time.

        Raises:
            AudioRefused: With the reason as its code.
            AudioTooLong: More than the bounds allow.
            UnsupportedMedia: The format needs an extra that is not installed.
            Unavailable: All children are busy and enough requests wait already, or there is no
                room for the result.
        """
        with self._duration.time():
            for attempt in (1, 2):
                child = await self._take()
                # The decode runs on when the sender leaves: it is short, and a child cannot be
                # interrupted without being replaced.
                job = self._spawn(self._use(child, source, output, request))
                for file in (source, output):
                    job.add_done_callback(file.hold())
                try:
                    return await asyncio.shield(job)
                except BrokenChild:
                    # Perhaps not this file's fault: another process gets one try.
                    if attempt == 2:  # noqa: PLR2004
                        raise self._refuse("decode_failed") from None
        raise AssertionError("unreachable")

    async def _use(
        self, child: ChildProcess, source: ScratchFile, output: ScratchFile, request: DecodeRequest
    ) -> Outline:
        """One request to a child that this task owns; gives it back or replaces it."""
        usable = False
        seconds = self._limits.time_for(source.size)
        try:
            async with asyncio.timeout(seconds):
                found = await child.call(source, output, request, int(seconds) + 1)
            usable = child.uses < self._limits.max_uses
        except TimeoutError:
            raise self._refuse("decode_timeout") from None
        finally:
            if usable:
                self._idle.put_nowait(child)
            elif not self._closing:
                self._spawn(self._replace(child))
        if isinstance(found, str):
            raise self._refuse(found)
        return found

    def _refuse(self, code: str) -> Exception:
        error = scratch_full() if code == "scratch_full" else refusal(code)
        self._failures.labels(error.code).inc()
        return error

    async def _take(self) -> ChildProcess:
        """A living child, waited for within bounds."""
        while True:
            child = await self._next_idle()
            if child.alive:
                return child
            self._spawn(self._replace(child))

    async def _next_idle(self) -> ChildProcess:
        if not self._idle.empty():
            return self._idle.get_nowait()
        if self._waiting >= self._limits.max_waiting:
            raise Unavailable("Too much audio waits to be decoded.", code="decoder_saturated")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.max_wait_s):
                return await self._idle.get()
        except TimeoutError:
            raise Unavailable(
                "Too much audio waits to be decoded.", code="decoder_saturated"
            ) from None
        finally:
            self._waiting -= 1

    async def _add_child(self) -> None:
        child = await ChildProcess.start(self._limits)
        self._children.add(child)
        self._idle.put_nowait(child)

    async def _replace(self, child: ChildProcess) -> None:
        self._children.discard(child)
        await child.kill()
        while not self._closing:
            try:
                await self._add_child()
            except (BrokenChild, OSError) as error:
                _logger.error("decoder process does not start", exc_info=error)
                await asyncio.sleep(_RESPAWN_DELAY_S)
            else:
                return

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            task.exception()  # Read, so that one whose sender left is not reported as lost.
