"""Transliteration: running text in another script, or the likeliest spellings of words."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Protocol

from services.nlp.exceptions import TooManySentences
from services.nlp.inference.transliteration import TransliterationModel
from services.nlp.models.analysis import AnalysisRecord, AnalyzedItem, Task
from services.nlp.models.languages import Pair
from services.nlp.models.transliteration import (
    TransliteratedItem,
    Transliteration,
    TransliterationOrder,
)
from services.nlp.repositories.analyses import AnalysisRepository
from services.nlp.services.batches import make_batches
from services.nlp.services.language_codes import direction_of, label_of, plain_pair
from services.nlp.services.layout import Layout, take_apart
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from shared.caller import Caller
from shared.concurrency import Bulkhead, map_bounded
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.serving import ModelSelector
from shared.text.clean import clean_text, is_blank
from shared.text.problems import EmptyText, UnsupportedLanguage
from shared.timing import Stopwatch

_INLINE_CHARACTERS = 2_000
"""Longer texts are split in a worker thread: they would hold up the event loop."""


class _Spell(Protocol):
    """Spells texts by the model and direction of a request."""

    def __call__(
        self, texts: Sequence[str], *, words: bool, top: int
    ) -> Awaitable[dict[str, list[str]]]:
        """Spellings by text."""
        ...


class TransliterationService:
    """Writes texts in another script and keeps them."""

    def __init__(
        self,
        model: TransliterationModel,
        repository: AnalysisRepository,
        models: Mapping[str, str],
        selector: ModelSelector,
        limits: NlpLimits,
        metrics: NlpMetrics,
        workers: Executor,
        bulkhead: Bulkhead,
    ) -> None:
        self._model = model
        self._repository = repository
        self._models = models
        self._selector = selector
        self._limits = limits
        self._metrics = metrics
        self._workers = workers
        self._bulkhead = bulkhead

    async def pairs(self) -> Mapping[str, list[Pair]]:
        """Pairs by serviceId, as the models name them."""
        return {
            service_id: await self._model.pairs(model) for service_id, model in self._models.items()
        }

    async def transliterate(self, caller: Caller, order: TransliterationOrder) -> Transliteration:
        """Spell every text of an order; durable when it returns.

        Running text keeps its layout, placeholders and tags. Blank texts stay as they are.

        Raises:
            SpeechgateError: See `shared.text.problems`; the inference server's own errors.
        """
        model, used = await self._selector.select(order.service_id, caller)
        characters = self._limits.bounds.check(order.texts)
        if all(is_blank(text) for text in order.texts):
            raise EmptyText("/input", "There is no text.")
        with self._bulkhead.admit(characters):
            watch = Stopwatch()
            pair = plain_pair(order.pair)
            record = AnalysisRecord(
                id=new_id(),
                created_at=utc_now(),
                task=Task.TRANSLITERATION,
                model=model,
                language=str(pair),
                item_count=len(order.texts),
                characters=characters,
                latency_ms=0.0,
            )

            async def record_failure(code: str) -> None:
                failed = replace(record, latency_ms=watch.total_ms(), error_code=code)
                await self._repository.add(caller, failed)

            async with recording_failure(record_failure):
                served = await self._model.pairs(model)
                direction = direction_of(order.pair, order.scripts, served)
                if direction is None:
                    raise UnsupportedLanguage(map(str, served), "/config/language")
                spell = partial(self._spelled, model, direction)
                if order.sentences:
                    found = await self._running_text(order, spell, characters)
                else:
                    found = await self._words(order, spell)
            watch.lap("inference")
            items = [
                TransliteratedItem(source, tuple(targets))
                for source, targets in zip(order.texts, found, strict=True)
            ]
            await self._repository.add(
                caller,
                replace(record, latency_ms=watch.total_ms()),
                [AnalyzedItem(item.source, list(item.targets)) for item in items],
            )
            watch.lap("store")
        self._metrics.finished(Task.TRANSLITERATION, label_of(pair, served), characters)
        timings = {**watch.laps, "total": watch.total_ms()}
        return Transliteration(record.id, tuple(items), characters, timings, used)

    async def _running_text(
        self, order: TransliterationOrder, spell: _Spell, characters: int
    ) -> list[list[str]]:
        def all_layouts() -> list[Layout]:
            return [take_apart(text, whole=False) for text in order.texts]

        if characters <= _INLINE_CHARACTERS:
            layouts = all_layouts()
        else:
            loop = asyncio.get_running_loop()
            layouts = await loop.run_in_executor(self._workers, all_layouts)
        texts = [text for layout in layouts for text in layout.sentences()]
        if len(texts) > self._limits.sentences:
            raise TooManySentences(self._limits.sentences)
        found = await spell(texts, words=False, top=1)
        best = {text: spellings[0] for text, spellings in found.items()}
        return [[layout.rejoin(best)] for layout in layouts]

    @staticmethod
    async def _words(order: TransliterationOrder, spell: _Spell) -> list[list[str]]:
        words = [clean_text(text).strip() for text in order.texts]
        found = await spell([word for word in words if word], words=True, top=order.suggestions)
        return [
            found[word] if word else [text] for word, text in zip(words, order.texts, strict=True)
        ]

    async def _spelled(
        self, model: str, direction: Pair, texts: Sequence[str], *, words: bool, top: int
    ) -> dict[str, list[str]]:
        """Spellings by text; one that occurs twice is spelled once."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return {}
        parallel = self._limits.parallel_batches

        async def batch(part: Sequence[str]) -> list[list[str]]:
            self._metrics.batch(Task.TRANSLITERATION, len(part))
            return await self._model.spell(model, part, direction, words=words, top=top)

        batches = make_batches(distinct, parallel=parallel, largest=self._limits.batch_sentences)
        spelled = await map_bounded(batch, batches, parallel)
        return dict(zip(distinct, (one for part in spelled for one in part), strict=True))
