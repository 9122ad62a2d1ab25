"""Speech probabilities for all streams of the process: what waits goes to the model in one call."""

import asyncio
import contextlib
from collections import deque

from services.asr.inference.vad_stream_model import MAX_STREAMS, Pending, State, VadStreamModel
from shared.problem import SpeechgateError

Scored = tuple[list[float], State]
_ATTEMPTS = 4
_PAUSE_S = 0.25


class VadTicker:
    """Collects windows for one tick, then scores them together.

    Args:
        model: Scores windows.
        tick_s: Least time between two calls.
    """

    def __init__(self, model: VadStreamModel, tick_s: float = 0.05) -> None:
        self._model = model
        self._tick_s = tick_s
        self._waiting: deque[tuple[Pending, asyncio.Future[Scored]]] = deque()
        self._wake = asyncio.Event()
        self._urgent = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="vad-ticker")

    async def close(self) -> None:
        """End; who still waits is told so."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, future in self._waiting:
            future.cancel()

    async def score(self, pending: Pending, *, urgent: bool) -> Scored:
        """The probabilities of a stream's windows, and its new state.

        Args:
            pending: The windows.
            urgent: Whether somebody speaks; else two ticks will do.

        Raises:
            Unavailable: The model did not answer, asked several times.
        """
        future: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
        self._waiting.append((pending, future))
        if urgent or len(self._waiting) == 1:
            self._urgent = self._urgent or urgent
            self._wake.set()
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        called_at = loop.time()
        while True:
            left = called_at + self._tick_s * (1 if self._urgent else 2) - loop.time()
            if not self._waiting or left > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left if self._waiting else None):
                        await self._wake.wait()
                continue
            called_at = loop.time()
            self._urgent = False
            size = min(len(self._waiting), MAX_STREAMS)
            batch = [self._waiting.popleft() for _ in range(size)]
            await self._score([one for one in batch if not one[1].done()])

    async def _score(self, batch: list[tuple[Pending, asyncio.Future[Scored]]]) -> None:
        if not batch:
            return
        try:
            found = await self._ask([pending for pending, _ in batch])
        except SpeechgateError as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), scored in zip(batch, found, strict=True):
            if not future.done():
                future.set_result(scored)

    async def _ask(self, streams: list[Pending]) -> list[Scored]:
        """The state travels with the call: asking again changes nothing."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return await self._model.score(streams)
            except SpeechgateError:
                await asyncio.sleep(_PAUSE_S * attempt)
        return await self._model.score(streams)
