"""Requests on their way: admitted, understood, and stored at their end."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from services.tts.inference.tts import MODEL_RATE, TtsModel
from services.tts.models.script import Script
from services.tts.models.speech import SpeechOrder, SpokenItem
from services.tts.models.voices import ModelFacts
from services.tts.repositories.speech import SpeechRepository
from services.tts.services.fitting import fit
from services.tts.services.metrics import TtsMetrics
from services.tts.services.narration import Narrator
from services.tts.services.outputs import choose_output
from services.tts.services.run import Run
from services.tts.services.voices import choose_voice
from services.tts.services.writing import ScriptWriter
from shared.caller import Caller
from shared.concurrency import Bulkhead
from shared.failures import recording_failure
from shared.logging import get_logger
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.languages import primary_language
from shared.text.problems import EmptyText, UnsupportedLanguage

_logger = get_logger(__name__)
_NOTHING_KNOWN = ModelFacts((), MODEL_RATE)


@dataclass(frozen=True, slots=True)
class SpeechLimits:
    """Bounds on one request and on the process."""

    bounds: TextBounds
    characters_in_progress: int
    audio_bytes: int


@dataclass(frozen=True, slots=True)
class Engine:
    """What speaks.

    Attributes:
        model: Of the inference server.
        models: Reference by serviceId.
        selector: Chooses among them.
        writer: Texts to scripts.
        narrator: Scripts to sound.
        workers: Where sound is encoded.
        default_language: Of requests that name neither a language nor a voice that has one.
    """

    model: TtsModel
    models: Mapping[str, str]
    selector: ModelSelector
    writer: ScriptWriter
    narrator: Narrator
    workers: Executor
    default_language: str


class Runs:
    """Begins and ends requests, those that bring their text and those that bring it in pieces.

    Attributes:
        engine: What speaks.
        limits: What requests may take.
    """

    def __init__(
        self,
        engine: Engine,
        repository: SpeechRepository,
        limits: SpeechLimits,
        metrics: TtsMetrics,
    ) -> None:
        self.engine = engine
        self.limits = limits
        self._repository = repository
        self._metrics = metrics
        self._bulkhead = Bulkhead(limits.characters_in_progress)

    @asynccontextmanager
    async def begin(self, caller: Caller, order: SpeechOrder) -> AsyncIterator[Run]:
        """A request that is admitted and whose texts are understood; a failure is recorded.

        Raises:
            SpeechgateError: See `exceptions` and `shared.text.problems`; the inference server's
                own errors.
        """
        run = await self._new(caller, order)
        if not order.texts:
            raise EmptyText("/input", "There is no text.")
        run.characters = self.limits.bounds.check(order.texts)
        with self._bulkhead.admit(run.characters):
            async with recording_failure(lambda code: self._record_failure(run, code)):
                await self._settle(run)
                run.scripts = await self._write(run, order)
                said = [say.language for say in run.says() if say.language]
                _require_languages(run, said)
                await self._fit(run)
                run.watch.lap("prepare")
                self._metrics.started(len(run.says()))
                yield run

    @asynccontextmanager
    async def begin_live(
        self, caller: Caller, order: SpeechOrder, reason: Callable[[], str | None]
    ) -> AsyncIterator[Run]:
        """A request whose text comes later, by `script`; a failure is recorded.

        Args:
            caller: Who sent it.
            order: What was asked, without a text.
            reason: The code of what ended it from outside; None where nothing did.
        """
        run = await self._new(caller, order)
        async with recording_failure(lambda code: self._record_failure(run, reason() or code)):
            await self._settle(run)
            yield run

    async def script(self, run: Run, text: str) -> Script:
        """How more text of a live request is spoken.

        Raises:
            EmptyText: Nothing in it can be.
        """
        run.characters += len(text)
        (script,) = await self._write(run, replace(run.order, texts=(text,)))
        return script

    def admit(self, characters: int) -> AbstractContextManager[None]:
        """Hold a place for more text of a live request while the block runs.

        Raises:
            Unavailable: Code `overloaded`.
        """
        return self._bulkhead.admit(characters)

    async def finish(self, run: Run, items: Sequence[SpokenItem], *, timed: bool = True) -> None:
        """Return when the request is stored.

        Args:
            run: The request.
            items: What was spoken.
            timed: Whether it was worked on all the time.
        """
        duration_s = round(sum(item.duration_s for item in items), 3)
        took_s = run.watch.total_ms() / 1000 if timed else 0.0
        kept = items if run.order.kept else ()
        await self._repository.add(run.caller, run.record(duration_s), kept)
        run.watch.lap("store")
        language, kind = primary_language(run.voice.language), run.output.audio_format.value
        self._metrics.finished(language, kind, run.characters, duration_s, took_s)

    async def _new(self, caller: Caller, order: SpeechOrder) -> Run:
        model, used = await self.engine.selector.select(order.service_id, caller)
        output = choose_output(order.audio_format, order.sampling_rate, MODEL_RATE)
        # Until the model is asked: a failure is stored with it.
        voice = replace(order.voice, language=order.voice.language or self.engine.default_language)
        return Run(caller, order, model, used, 0, _NOTHING_KNOWN, voice, output)

    async def _settle(self, run: Run) -> None:
        """Ask the model who speaks, and how it is written."""
        order = run.order
        run.facts = await self.engine.model.describe(run.model)
        run.voice = choose_voice(run.facts, order.voice, self.engine.default_language)
        run.output = choose_output(order.audio_format, order.sampling_rate, run.facts.sampling_rate)
        _require_languages(run, [run.voice.language])

    async def _fit(self, run: Run) -> None:
        """Let the audio last as long as the client wants."""
        if any(run.order.durations):
            run.scripts = tuple(
                [
                    await fit(self.engine.narrator, run, script, wanted_s) if wanted_s else script
                    for script, wanted_s in zip(run.scripts, run.order.durations, strict=True)
                ]
            )

    async def _write(self, run: Run, order: SpeechOrder) -> tuple[Script, ...]:
        return await self.engine.writer.write(run.caller, order, run.voice.language)

    async def _record_failure(self, run: Run, code: str) -> None:
        if run.begun:
            self._metrics.broken(code)
            _logger.warning("a streamed answer ended early", code=code, model=run.model)
        await self._repository.add(run.caller, run.record(error_code=code))


def _require_languages(run: Run, languages: Sequence[str]) -> None:
    served = run.facts.languages
    # `en-GB` is served where `en` is: the model picks the region's voice if it has one.
    if served and not {primary_language(one) for one in languages} <= set(served):
        raise UnsupportedLanguage(served, "/config/language/sourceLanguage")
