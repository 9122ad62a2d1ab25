"""Cuts a session's audio into utterances: voice activity, end points, settled positions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.asr.inference.vad_stream_model import MAX_WINDOWS, WINDOW, Pending, State
from services.asr.models.audio import Span
from services.asr.services.packing import quietest
from services.asr.streaming.endpointer import (
    Decision,
    Ended,
    Endpointer,
    Quiet,
    Rules,
    Started,
    TooLong,
)
from services.asr.streaming.line import AudioLine
from services.asr.streaming.ticker import VadTicker
from shared.audio.contract import Pcm16


@dataclass(frozen=True, slots=True)
class Begun:
    """An utterance begins.

    Attributes:
        start: First sample at 16 kHz, in the time of the whole session.
    """

    start: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance is complete.

    Attributes:
        span: Its samples at 16 kHz, in the time of the whole session.
        speech_end: Where the speech in it ends.
        pcm: `[T] int16` at 16 kHz.
        position: Up to where it settles the audio, in the client's samples.
        told: Whether `Begun` was told.
    """

    span: Span
    speech_end: int
    pcm: Pcm16
    position: int
    told: bool


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was said up to a position, in the client's samples."""

    position: int


Heard = Begun | Spoken | Silent


class Listener:
    """Reads an `AudioLine`; used by one task.

    What it finds is a function of the audio since the line's settled position alone: not of how
    the audio was cut into frames, nor of when they came.

    Args:
        line: The audio.
        ticker: Scores windows.
        rules: When speech begins and ends.
        tell: Is called with what is heard.
    """

    def __init__(
        self, line: AudioLine, ticker: VadTicker, rules: Rules, tell: Callable[[Heard], None]
    ) -> None:
        self._line = line
        self._ticker = ticker
        self._rules = rules
        self._tell = tell
        self._begin()

    def _begin(self) -> None:
        self._endpointer = Endpointer(self._rules)
        self._state: State | None = None
        self._scored = 0
        self._started: int | None = None

    @property
    def started(self) -> int | None:
        """Where the utterance that is under way begins, in samples of the line; None without."""
        return self._started

    async def listen(self) -> None:
        """Go through all whole windows that the line holds."""
        while windows := self._pending():
            await self._score(self._line.pcm[self._scored : self._scored + windows * WINDOW])

    async def flush(self) -> None:
        """Settle all that came, silence or speech."""
        await self.listen()
        self._line.finish()
        await self.listen()
        rest = self._line.pcm[self._scored :]
        if len(rest):
            settled = self._line.position
            await self._score(np.pad(rest, (0, WINDOW - len(rest))))
            if self._line.position != settled:
                await self.flush()
                return
        total = len(self._line.pcm)
        if not total:
            self._line.settle(0)
            return
        found = self._endpointer.finish(total)
        if found is None:
            self._settle(total, None)
        else:
            self._settle(total, Span(found.start, found.end), found.speech_end)

    def _pending(self) -> int:
        return min((len(self._line.pcm) - self._scored) // WINDOW, MAX_WINDOWS)

    async def _score(self, samples: Pcm16) -> None:
        windows = samples.reshape(-1, WINDOW)
        urgent = self._started is not None
        found, state = await self._ticker.score(Pending(windows, self._state), urgent=urgent)
        self._state = state
        for probability in found:
            self._scored += WINDOW
            if self._follow(self._endpointer.push(probability)):
                # All is new from the settled position on; what was scored behind it counts not.
                return

    def _follow(self, decision: Decision | None) -> bool:
        """Act on a decision; whether audio was settled."""
        match decision:
            case Started(start):
                self._started = start
                self._tell(Begun(self._line.origin + start))
            case Ended(start, speech_end, end):
                end = self._line.floor(end)
                self._settle(end, Span(start, end), speech_end)
                return True
            case TooLong(start, until):
                window = Span(start + (until - start) // 2, until)
                cut = self._line.floor(quietest(self._line.pcm, window))
                self._settle(cut, Span(start, cut), cut)
                return True
            case Quiet(until):
                self._settle(self._line.floor(until), None)
                return True
        return False

    def _settle(self, offset: int, speech: Span | None, speech_end: int = 0) -> None:
        """Everything before an offset is done with; an utterance in it is told."""
        line, origin, told = self._line, self._line.origin, self._started is not None
        pcm = None if speech is None else line.pcm[speech.start : speech.end].copy()
        line.settle(line.floor(offset))
        if speech is None or pcm is None:
            self._tell(Silent(line.position))
        else:
            span = Span(origin + speech.start, origin + speech.end)
            self._tell(Spoken(span, origin + speech_end, pcm, line.position, told))
        self._begin()
