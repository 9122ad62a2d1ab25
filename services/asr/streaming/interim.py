"""Partials of one utterance. They are a courtesy: without them the finals are the same."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import numpy as np

from services.asr.inference.asr_stream_model import SpokenUtterance
from services.asr.models.audio import SAMPLE_RATE
from shared.audio.contract import Pcm16
from shared.logging import get_logger
from shared.problem import SpeechgateError

_CHUNK = SAMPLE_RATE // 10
_MOST = SAMPLE_RATE
_logger = get_logger(__name__)


class Interim:
    """Feeds an utterance to the model as it is spoken, and tells what is heard.

    Where the model does not follow, pieces become longer, up to a second.

    Args:
        utterance: In the model.
        interval_s: Least time between two partials.
        told: Is called with a new text and the offset up to which it is heard.
    """

    def __init__(
        self, utterance: SpokenUtterance, interval_s: float, told: Callable[[str, int], None]
    ) -> None:
        self._utterance = utterance
        self._interval_s = interval_s
        self._told = told
        self._waiting: list[Pcm16] = []
        self._held = 0
        self._heard = 0
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="interim")

    def add(self, pcm: Pcm16) -> None:
        """More audio of the utterance."""
        self._waiting.append(pcm)
        self._held += len(pcm)
        if self._held >= _CHUNK:
            self._more.set()

    def end(self) -> None:
        """The utterance is over, or nobody wants to know."""
        self._task.cancel()

    async def ended(self) -> None:
        """Return when the place in the model is free again."""
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._listen()
        except SpeechgateError as error:
            _logger.warning("no partials for an utterance", code=error.code)
        finally:
            with contextlib.suppress(SpeechgateError):
                await self._utterance.drop()

    async def _listen(self) -> None:
        text, told_at = "", float("-inf")
        while True:
            await self._more.wait()
            chunk = self._take()
            found = await self._utterance.hear(chunk)
            self._heard += len(chunk)
            now = time.monotonic()
            if found != text and now - told_at >= self._interval_s:
                text, told_at = found, now
                self._told(text, self._heard)

    def _take(self) -> Pcm16:
        """What waits, up to a second."""
        joined = np.concatenate(self._waiting)
        chunk, rest = joined[:_MOST], joined[_MOST:]
        self._waiting = [rest] if len(rest) else []
        self._held = len(rest)
        if self._held < _CHUNK:
            self._more.clear()
        return chunk
