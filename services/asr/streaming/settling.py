"""From complete utterances to finals: recognized at once, told in order, remembered for storage."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.asr.inference.asr_model import AsrModel
from services.asr.models.transcript import Transcript
from services.asr.services.merging import confidence, merge
from services.asr.streaming.events import Ack, Event, Final
from services.asr.streaming.listener import Silent, Spoken
from services.asr.streaming.monitor import StreamMonitor
from services.asr.streaming.precedence import Precedence
from shared.problem import Unavailable

PostProcess = Callable[[Transcript], Awaitable[Transcript]]
_PAUSES_S = (0.5, 1.0, 2.0)
_END = None
_Item = tuple[Silent | Spoken, "asyncio.Task[Transcript] | None", float]


@dataclass(slots=True)
class Settling:
    """Finals of one session.

    Attributes:
        asr: The recognition model, the same as for files.
        model: Which one.
        language: As the model names it.
        post_process: What runs on each final.
        monitor: Where finals are counted.
        emit: Takes events.
        precedence: Keeps files out of the way of finals.
        position: Up to where audio is settled and the client told, in its samples.
        finals: How many.
        kept: Transcripts to store; None where none may be stored.
    """

    asr: AsrModel
    model: str
    language: str
    post_process: PostProcess
    monitor: StreamMonitor
    emit: Callable[[Event], None]
    precedence: Precedence
    position: int
    finals: int = 0
    kept: list[Transcript] | None = None
    _queue: "asyncio.Queue[_Item | None]" = field(default_factory=asyncio.Queue)
    _open: int = 0
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, heard: Silent | Spoken) -> None:
        """What settles audio, in order."""
        task = None
        if isinstance(heard, Spoken):
            self.precedence.begin()
            task = asyncio.create_task(self._recognize(heard), name="final")
            self._open += 1
        self._queue.put_nowait((heard, task, time.monotonic()))

    def end(self) -> None:
        """Nothing more comes."""
        self._queue.put_nowait(_END)

    async def room(self, most: int) -> None:
        """Return when fewer than `most` utterances are being recognized."""
        while self._open >= most:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Tell finals until the end.

        Raises:
            SpeechgateError: An utterance could not be recognized; those before it were told.
        """
        while (item := await self._queue.get()) is not _END:
            heard, task, began = item
            if task is not None and isinstance(heard, Spoken):
                try:
                    found = await task
                finally:
                    self.precedence.end()
                self._open -= 1
                self._room.set()
                self._tell(found, heard, began)
            self.position = heard.position
            self.emit(Ack(heard.position))

    async def close(self) -> None:
        """Cancel what is still being recognized, down to the model."""
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        tasks = [item[1] for item in waiting if item is not _END and item[1] is not None]
        for task in tasks:
            task.cancel()
            self.precedence.end()
        await asyncio.gather(*tasks, return_exceptions=True)

    def transcript(self, duration: float) -> Transcript | None:
        """All finals as one transcript; None where none may be stored."""
        if self.kept is None:
            return None
        words = tuple(word for one in self.kept for word in one.words)
        utterances = tuple(one for found in self.kept for one in found.utterances)
        return Transcript(
            text=" ".join(one.text for one in self.kept),
            words=words,
            utterances=utterances,
            confidence=confidence(words, utterances),
            duration=duration,
        )

    async def _recognize(self, spoken: Spoken) -> Transcript:
        """As a file's segment is recognized, so that both have the same text."""
        for pause in _PAUSES_S:
            try:
                return await self._attempt(spoken)
            except Unavailable:
                await asyncio.sleep(pause)
        return await self._attempt(spoken)

    async def _attempt(self, spoken: Spoken) -> Transcript:
        found = await self.asr.recognize(self.model, spoken.pcm, self.language)
        span = spoken.span
        return await self.post_process(merge([span], [found], span.length, best_tokens=0))

    def _tell(self, found: Transcript, spoken: Spoken, began: float) -> None:
        if not found.text:
            return  # Noise: the ack alone tells that it is settled.
        utterance = found.utterances[0]
        self.finals += 1
        if self.kept is not None:
            self.kept.append(found)
        self.monitor.final(self.model, time.monotonic() - began)
        self.emit(
            Final(
                text=found.text,
                start=utterance.start,
                end=utterance.end,
                words=found.words,
                confidence=found.confidence,
                samples=spoken.position,
            )
        )
