"""Bounded decoding of untrusted audio in sandboxed child processes.

The children are started ahead, so that a decode costs no process start. One that crashes, hangs
or answers nonsense is killed and replaced; its request alone is refused.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from prometheus_client import Counter, Histogram

from shared.audio.contract import DecodeBounds, Decoded
from shared.audio.errors import refusal
from shared.audio.formats import AudioFormat
from shared.audio.process import BrokenChild, ChildProcess
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
        timeout_s: Longest decode; the child is then killed.
        memory_bytes: Address space of a child.
        max_waiting: Requests that may wait for a child; more are answered 503.
        max_wait_s: Longest wait for a child.
        max_uses: Decodes after which a child is replaced, against slow leaks.
    """

    bounds: DecodeBounds = field(default_factory=DecodeBounds)
    timeout_s: float = 8.0
    memory_bytes: int = 1 << 30
    max_waiting: int = 128
    max_wait_s: float = 10.0
    max_uses: int = 5_000


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
        self, content: bytes, *, declared: AudioFormat | None = None, rate: int | None = None
    ) -> Decoded:
        """Mono 16-bit PCM of an audio file.

        Args:
            content: The encoded file.
            declared: The sender's word for the format; it matters for headerless PCM only.
            rate: Sample rate of headerless PCM, in Hz.

        Raises:
            AudioRefused: With the reason as its code.
            AudioTooLong: More than the bounds allow.
            Unavailable: All children are busy and enough requests wait already.
        """
        with self._duration.time():
            for attempt in (1, 2):
                child = await self._take()
                # The decode runs on when the sender leaves: it is short, and a child cannot be
                # interrupted without being replaced.
                job = self._spawn(self._use(child, content, declared, rate))
                try:
                    return await asyncio.shield(job)
                except BrokenChild:
                    # Perhaps not this file's fault: another process gets one try.
                    if attempt == 2:  # noqa: PLR2004
                        raise self._refuse("decode_failed") from None
        raise AssertionError("unreachable")

    async def _use(
        self, child: ChildProcess, content: bytes, declared: AudioFormat | None, rate: int | None
    ) -> Decoded:
        """One request to a child that this task owns; gives it back or replaces it."""
        usable = False
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                reply, pcm = await child.call(content, declared, rate)
            usable = child.uses < self._limits.max_uses
        except TimeoutError:
            raise self._refuse("decode_timeout") from None
        finally:
            if usable:
                self._idle.put_nowait(child)
            elif not self._closing:
                self._spawn(self._replace(child))
        if reply["code"] is not None:
            raise self._refuse(str(reply["code"]))
        return Decoded(
            np.frombuffer(pcm, np.int16),
            AudioFormat(reply["format"]),
            int(reply["rate"]),
            int(reply["channels"]),
        )

    def _refuse(self, code: str) -> Exception:
        error = refusal(code)
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
