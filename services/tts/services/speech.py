"""Speech from whole texts: all of it at once, or its beginning while the rest is made."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager

import pybase64

from services.tts.exceptions import AudioTooLarge
from services.tts.models.script import Say, Script
from services.tts.models.sound import SpeechPart, TimedMark, TimedWord
from services.tts.models.speech import Speech, SpeechOrder, SpokenItem, StoredSpeech
from services.tts.models.voices import ServedVoice
from services.tts.repositories.speech import SpeechRepository
from services.tts.services.metrics import TtsMetrics
from services.tts.services.outputs import leaves_whole
from services.tts.services.rendering import Renderer, render, rendering
from services.tts.services.run import Run
from services.tts.services.runs import Runs
from services.tts.services.speech_stream import SpeechStream, chained
from shared.caller import Caller
from shared.logging import get_logger
from shared.problem import RequestNotFound, Unavailable

_logger = get_logger(__name__)
_NOT_SERVED = "model_unavailable"


class SpeechService:
    """Speaks texts and keeps what was asked."""

    def __init__(self, runs: Runs, repository: SpeechRepository, metrics: TtsMetrics) -> None:
        self._runs = runs
        self._engine = runs.engine
        self._repository = repository
        self._metrics = metrics

    async def voices(self) -> list[ServedVoice]:
        """The voices of every model that the inference server has.

        Raises:
            Unavailable: The inference server does not answer.
        """
        found: list[ServedVoice] = []
        for service_id, model in self._engine.models.items():
            try:
                facts = await self._engine.model.describe(model)
            except Unavailable as error:
                if error.code != _NOT_SERVED:
                    raise
                _logger.warning("a model is not served", model=model)
                continue
            found += [ServedVoice(service_id, one, facts.sampling_rate) for one in facts.voices]
        return found

    async def stored(self, caller: Caller, request_id: str) -> StoredSpeech:
        """A request of the caller's tenant.

        Raises:
            RequestNotFound: Absent, or another tenant's.
        """
        found = await self._repository.find(caller.tenant_id, request_id)
        if found is None:
            raise RequestNotFound
        return found

    async def speak(self, caller: Caller, order: SpeechOrder) -> Speech:
        """Speak every text of an order; durable when it returns.

        Raises:
            SpeechgateError: See `exceptions` and `shared.text.problems`; the inference server's
                own errors.
        """
        async with self._runs.begin(caller, order) as run:
            items: list[SpokenItem] = []
            encode_s = 0.0
            # One text after the other: its parts keep Triton busy already.
            for script in run.scripts:
                with self._rendering(run, whole=True) as renderer:
                    items.append(await self._spoken(run, script, renderer, items))
                    encode_s += renderer.worked_s
            run.watch.lap("inference")
            run.watch.split("inference", "encode", encode_s)
            await self._runs.finish(run, items)
            timings = {**run.watch.laps, "total": run.watch.total_ms()}
            return Speech(
                run.id, tuple(items), run.voice, run.output, run.characters, timings, run.used
            )

    @asynccontextmanager
    async def stream(self, caller: Caller, order: SpeechOrder) -> AsyncIterator[SpeechStream]:
        """Speak the one text of an order; the block begins when there are bytes to send.

        Leaving the block before the parts have ended stops the work down to the model.

        Raises:
            SpeechgateError: As `speak`, until the block begins; then the parts raise it.
        """
        async with self._runs.begin(caller, order) as run:
            (script,) = run.scripts
            whole = leaves_whole(run.output.audio_format, len(run.says()), live=order.live)
            with self._rendering(run, whole=whole) as renderer:
                async with aclosing(self._produce(run, script, renderer)) as parts:
                    opening: list[SpeechPart] = []
                    async for part in parts:
                        opening.append(part)
                        if part.content:
                            break
                    run.begun = True
                    took_s = run.watch.total_ms() / 1000
                    self._metrics.first_audio(run.output.audio_format.value, took_s)
                    async with aclosing(chained(opening, parts)) as parts_again:
                        yield SpeechStream(run, renderer, parts_again)

    def _rendering(self, run: Run, *, whole: bool) -> AbstractContextManager[Renderer]:
        return rendering(run.facts.sampling_rate, run.output, self._engine.workers, whole=whole)

    async def _sounding(
        self, run: Run, script: Script, renderer: Renderer
    ) -> AsyncGenerator[SpeechPart, None]:
        """The parts of one text's file."""
        async with (
            aclosing(self._engine.narrator.narrate(run, script)) as sounds,
            aclosing(render(sounds, renderer, self._engine.workers)) as parts,
        ):
            async for part in parts:
                yield part

    async def _produce(
        self, run: Run, script: Script, renderer: Renderer
    ) -> AsyncGenerator[SpeechPart, None]:
        """The parts of a streamed answer; at their end the request is stored."""
        async with aclosing(self._sounding(run, script, renderer)) as parts:
            async for part in parts:
                self._bound(renderer.size)
                yield part
        run.watch.lap("inference")
        run.watch.split("inference", "encode", renderer.worked_s)
        await self._runs.finish(run, [_item(script, renderer, "")])

    async def _spoken(
        self, run: Run, script: Script, renderer: Renderer, before: Sequence[SpokenItem]
    ) -> SpokenItem:
        taken = sum(item.size for item in before)
        marks: list[TimedMark] = []
        words: list[TimedWord] = []
        content = b""
        async with aclosing(self._sounding(run, script, renderer)) as parts:
            async for part in parts:
                self._bound(taken + renderer.size)
                marks += part.marks
                words += part.words
                content += part.content  # Of a whole file: all of it with the last part.
        encoded = pybase64.b64encode(content).decode("ascii")
        return _item(script, renderer, encoded, tuple(marks), tuple(words))

    def _bound(self, size: int) -> None:
        most = self._runs.limits.audio_bytes
        if size > most:
            raise AudioTooLarge(most)


def _item(
    script: Script,
    renderer: Renderer,
    content: str,
    marks: tuple[TimedMark, ...] = (),
    words: tuple[TimedWord, ...] = (),
) -> SpokenItem:
    return SpokenItem(
        text=" ".join(step.source for step in script if isinstance(step, Say) and step.source),
        content=content,
        duration_s=renderer.duration_s,
        size=renderer.size,
        sha256=renderer.digest.hexdigest(),
        marks=marks,
        words=words,
    )
