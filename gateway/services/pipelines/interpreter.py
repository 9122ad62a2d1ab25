"""Translates and speaks what was said, utterance by utterance, while more is said.

A few utterances are worked on at once; what is told of them comes in the order in which they were
said. A step that fails costs its utterance and no more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from gateway.models.routes import Route
from gateway.services.pipelines.links import entries_of, find_route, texts_of
from gateway.services.pipelines.plan import Task
from gateway.services.pipelines.speech_start import SpeechStart
from gateway.upstream.step_answer import StepAnswer, broken
from shared.logging import get_logger
from shared.problem import SpeechgateError

AT_ONCE = 3
FULL, ROOM = 8, 4
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, and when: seconds from the start of the audio."""

    index: int
    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Sound:
    """A spoken text; `content` is base64."""

    content: str
    duration: float
    config: dict[str, Any]


class Steps(Protocol):
    """Does steps in the sender's name."""

    async def __call__(self, route: Route, body: bytes) -> StepAnswer:
        """One step."""


Tell = Callable[[dict[str, Any], Sound | None], Awaitable[None]]
_Work = tuple[Utterance, "asyncio.Task[str]", "asyncio.Task[Sound | None]"]


class Interpreter:
    """The steps behind recognition.

    Args:
        start: What the client asked for.
        steps: Does them.
        tell: Tells the client an event, and the sound that belongs to it; waits for slow clients.
        hold: Called with True when too much waits to be told, with False when there is room again.

    Attributes:
        utterances: So far.
        failed: Of them, whose translation or sound is missing.
    """

    def __init__(
        self, start: SpeechStart, steps: Steps, tell: Tell, hold: Callable[[bool], None]
    ) -> None:
        self._start = start
        self._steps = steps
        self._tell = tell
        self._hold = hold
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting: asyncio.Queue[_Work | None] = asyncio.Queue()
        self._open: set[asyncio.Task[Any]] = set()
        self._untold = 0
        self.utterances = 0
        self.failed = 0

    def add(self, text: str, start: float, end: float) -> int:
        """Begin to work on what was said; its number."""
        utterance = Utterance(self.utterances, text, start, end)
        self.utterances += 1
        translating = self._spawn(self._translate(text))
        speaking = self._spawn(self._speak(translating))
        self._waiting.put_nowait((utterance, translating, speaking))
        self._untold += 1
        if self._untold == FULL:
            self._hold(True)  # noqa: FBT003 - the callback's one argument
        return utterance.index

    def end(self) -> None:
        """Nothing more is said."""
        self._waiting.put_nowait(None)

    async def run(self) -> None:
        """Tell of every utterance, in order, until `end`."""
        while (work := await self._waiting.get()) is not None:
            if not await self._tell_of(*work):
                self.failed += 1
            self._untold -= 1
            if self._untold == ROOM:
                self._hold(False)  # noqa: FBT003 - as above

    def close(self) -> None:
        """Drop what is not done."""
        for task in self._open:
            task.cancel()

    async def _tell_of(
        self,
        utterance: Utterance,
        translating: "asyncio.Task[str]",
        speaking: "asyncio.Task[Sound | None]",
    ) -> bool:
        """Tell of one; whether it is all there."""
        place = {"segment": utterance.index, "start": utterance.start, "end": utterance.end}
        try:
            text = await translating
        except SpeechgateError as error:
            await self._tell(_failure(place, Task.TRANSLATION, error), None)
            return False
        await self._tell({"type": "translation", **place, "text": text}, None)
        try:
            sound = await speaking
        except SpeechgateError as error:
            await self._tell(_failure(place, Task.TTS, error), None)
            return False
        if sound is not None:
            await self._tell(
                {
                    "type": "audio",
                    **place,
                    "format": sound.config.get("audioFormat"),
                    "sample_rate": sound.config.get("samplingRate"),
                    "duration": sound.duration,
                },
                sound,
            )
        return True

    async def _translate(self, text: str) -> str:
        document = await self._do(Task.TRANSLATION, self._start.translation(text))
        texts = texts_of(Task.TRANSLATION, entries_of(Task.TRANSLATION, document))
        if len(texts) != 1:
            raise broken()
        return texts[0]

    async def _speak(self, translating: "asyncio.Task[str]") -> Sound | None:
        text = await translating
        if not text.strip():
            return None
        document = await self._do(Task.TTS, self._start.speech(text))
        entries = entries_of(Task.TTS, document)
        content = entries[0].get("audioContent") if len(entries) == 1 else None
        if not isinstance(content, str):
            raise broken()
        duration = entries[0].get("duration")
        config = document.get("config")
        return Sound(
            content,
            float(duration) if isinstance(duration, int | float) else 0.0,
            config if isinstance(config, dict) else {},
        )

    async def _do(self, task: Task, body: dict[str, Any]) -> Any:
        async with self._room:
            answer = await self._steps(find_route(task), orjson.dumps(body))
        return answer.json()

    def _spawn(self, work: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.create_task(work)
        self._open.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        """Also looks at errors that nobody asks for: of a sound whose translation failed."""
        self._open.discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, SpeechgateError):
                _logger.error("an utterance failed", exc_info=error)


def _failure(place: dict[str, Any], task: Task, error: SpeechgateError) -> dict[str, Any]:
    return {
        "type": "segment_failed",
        **place,
        "step": task,
        "code": error.code,
        "detail": error.detail,
    }
