"""Speech from text: chunks, model, audio, record."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from services.tts.exceptions import (
    AudioTooLarge,
    UnsupportedAudioFormat,
    UnsupportedSamplingRate,
)
from services.tts.inference.tts import MODEL_RATE, TtsModel
from services.tts.models.speech import (
    Output,
    Speech,
    SpeechOrder,
    SpeechRecord,
    SpokenItem,
    StoredSpeech,
    Voice,
)
from services.tts.repositories.speech import SpeechRepository
from services.tts.services.metrics import TtsMetrics
from services.tts.services.rendering import render
from services.tts.services.text import prepare
from shared.audio.encode import CODECS, MAX_RATE, MIN_RATE, OutputFormat, best_rate, holds_rate
from shared.caller import Caller
from shared.concurrency import Bulkhead, map_bounded
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.problem import RequestNotFound
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.languages import primary_language
from shared.text.problems import EmptyText, UnsupportedLanguage
from shared.text.sentences import Chunk
from shared.timing import Stopwatch

_WORDS_PER_MINUTE = 140.0
"""The model's own speed."""
_INLINE_CHARACTERS = 2_000
"""Longer texts are split in a worker thread: they would hold up the event loop."""


@dataclass(frozen=True, slots=True)
class SpeechLimits:
    """Bounds on one request and on the process."""

    bounds: TextBounds
    chunk_characters: int
    parallel_chunks: int
    characters_in_progress: int
    audio_bytes: int


@dataclass(frozen=True, slots=True)
class _Run:
    """One request on its way."""

    id: str
    created_at: datetime
    model: str
    used: str
    voice: Voice
    output: Output
    chunks: list[list[Chunk]]
    characters: int
    watch: Stopwatch

    def record(self, latency_ms: float) -> SpeechRecord:
        return SpeechRecord(
            id=self.id,
            created_at=self.created_at,
            model=self.model,
            voice=self.voice,
            output=self.output,
            item_count=len(self.chunks),
            characters=self.characters,
            latency_ms=latency_ms,
        )


class SpeechService:
    """Speaks texts and keeps what was asked."""

    def __init__(
        self,
        model: TtsModel,
        repository: SpeechRepository,
        models: Mapping[str, str],
        selector: ModelSelector,
        limits: SpeechLimits,
        metrics: TtsMetrics,
        workers: Executor,
    ) -> None:
        self._model = model
        self._repository = repository
        self._models = models
        self._selector = selector
        self._limits = limits
        self._metrics = metrics
        self._workers = workers
        self._bulkhead = Bulkhead(limits.characters_in_progress)

    async def languages(self) -> Mapping[str, list[str]]:
        """Languages by serviceId."""
        served = {}
        for service_id, model in self._models.items():
            served[service_id] = await self._model.languages(model)
        return served

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
        model, used = await self._selector.select(order.service_id, caller)
        output = choose_output(order.audio_format, order.sampling_rate)
        if not order.texts:
            raise EmptyText("/input", "There is no text.")
        characters = self._limits.bounds.check(order.texts)
        with self._bulkhead.admit(characters):
            watch = Stopwatch()
            chunks = await self._prepare(order.texts, characters)
            run = _Run(
                new_id(), utc_now(), model, used, order.voice, output, chunks, characters, watch
            )
            watch.lap("prepare")
            async with recording_failure(partial(self._record_failure, caller, run)):
                items = await self._produce(run)
            return await self._finish(caller, run, items)

    async def _prepare(self, texts: Sequence[str], characters: int) -> list[list[Chunk]]:
        def prepare_all() -> list[list[Chunk]]:
            limit = self._limits.chunk_characters
            return [
                prepare(text, limit=limit, pointer=f"/input/{index}/source")
                for index, text in enumerate(texts)
            ]

        if characters <= _INLINE_CHARACTERS:
            return prepare_all()
        return await asyncio.get_running_loop().run_in_executor(self._workers, prepare_all)

    async def _produce(self, run: _Run) -> list[SpokenItem]:
        await self._require_language(run)
        self._metrics.started(sum(map(len, run.chunks)))
        loop = asyncio.get_running_loop()
        items: list[SpokenItem] = []
        inference_s = 0.0
        # One text after the other: only one text's samples are in memory, and its chunks keep
        # Triton busy already.
        for chunks in run.chunks:
            started = time.perf_counter()
            parts = await map_bounded(
                partial(self._speak_chunk, run), chunks, self._limits.parallel_chunks
            )
            inference_s += time.perf_counter() - started
            items.append(
                await loop.run_in_executor(
                    self._workers, render, chunks, parts, MODEL_RATE, run.output
                )
            )
            if sum(item.size for item in items) > self._limits.audio_bytes:
                raise AudioTooLarge(self._limits.audio_bytes)
        run.watch.lap("encode")
        run.watch.split("encode", "inference", inference_s)
        return items

    async def _speak_chunk(self, run: _Run, chunk: Chunk) -> NDArray[np.float32]:
        speed = run.voice.speed
        return await self._model.speak(
            run.model,
            chunk.text,
            language=run.voice.language,
            speaker=run.voice.name or run.voice.gender,
            words_per_minute=None if speed == 1.0 else _WORDS_PER_MINUTE * speed,
        )

    async def _require_language(self, run: _Run) -> None:
        served = await self._model.languages(run.model)
        # `en-GB` is served where `en` is: the model picks the region's voice if it has one.
        primary = primary_language(run.voice.language)
        if served and primary not in served:
            raise UnsupportedLanguage(served, "/config/language/sourceLanguage")

    async def _finish(self, caller: Caller, run: _Run, items: Sequence[SpokenItem]) -> Speech:
        duration_s = round(sum(item.duration_s for item in items), 3)
        took_ms = run.watch.total_ms()
        record = replace(run.record(took_ms), duration_s=duration_s)
        await self._repository.add(caller, record, items)
        run.watch.lap("store")
        self._metrics.finished(
            primary_language(run.voice.language),
            run.output.audio_format.value,
            run.characters,
            duration_s,
            took_ms / 1000,
        )
        timings = {**run.watch.laps, "total": run.watch.total_ms()}
        return Speech(run.id, tuple(items), run.output, run.characters, timings, run.used)

    async def _record_failure(self, caller: Caller, run: _Run, code: str) -> None:
        record = replace(run.record(run.watch.total_ms()), error_code=code)
        await self._repository.add(caller, record)


def choose_output(audio_format: str, sampling_rate: int | None) -> Output:
    """How the audio is written.

    Raises:
        UnsupportedAudioFormat: No such format.
        UnsupportedSamplingRate: The format cannot hold the rate.
    """
    if audio_format not in CODECS:
        raise UnsupportedAudioFormat(member.value for member in OutputFormat)
    chosen = OutputFormat(audio_format)
    if sampling_rate is None:
        return Output(chosen, best_rate(chosen, MODEL_RATE))
    if not holds_rate(chosen, sampling_rate):
        rates = CODECS[chosen].rates
        held = ", ".join(map(str, sorted(rates))) if rates else f"{MIN_RATE} to {MAX_RATE}"
        raise UnsupportedSamplingRate(held)
    return Output(chosen, sampling_rate)
