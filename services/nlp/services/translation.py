"""Translation: sentences, batches, rejoining, record."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from services.nlp.inference.nmt import NmtModel
from services.nlp.models.languages import Pair
from services.nlp.models.translation import (
    StoredTranslation,
    TranslatedItem,
    Translation,
    TranslationOrder,
    TranslationRecord,
)
from services.nlp.repositories.translations import TranslationRepository
from services.nlp.services.layout import Layout, take_apart
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from shared.caller import Caller
from shared.concurrency import Bulkhead, map_bounded
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.problem import RequestNotFound
from shared.serving import ModelSelector
from shared.text.languages import primary_language
from shared.text.problems import EmptyText, UnsupportedLanguage
from shared.timing import Stopwatch

TASK = "translation"
_INLINE_CHARACTERS = 2_000
"""Longer texts are split in a worker thread: they would hold up the event loop."""
_LONGEST_SENTENCE = 1_000
_SMALLEST_BATCH = 8
"""Fewer sentences are not worth a call of their own."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One request on its way."""

    id: str
    created_at: datetime
    model: str
    used: str
    pair: Pair
    texts: tuple[str, ...]
    layouts: list[Layout]
    characters: int
    watch: Stopwatch

    def record(self) -> TranslationRecord:
        return TranslationRecord(
            id=self.id,
            created_at=self.created_at,
            model=self.model,
            pair=self.pair,
            item_count=len(self.texts),
            sentences=sum(len(layout.wanted) for layout in self.layouts),
            characters=self.characters,
            latency_ms=self.watch.total_ms(),
        )


class TranslationService:
    """Translates texts and keeps them."""

    def __init__(
        self,
        model: NmtModel,
        repository: TranslationRepository,
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
        """Pairs by serviceId."""
        return {
            service_id: await self._model.pairs(model) for service_id, model in self._models.items()
        }

    async def stored(self, caller: Caller, request_id: str) -> StoredTranslation:
        """A request of the caller's tenant.

        Raises:
            RequestNotFound: Absent, or another tenant's.
        """
        found = await self._repository.find(caller.tenant_id, request_id)
        if found is None:
            raise RequestNotFound
        return found

    async def translate(self, caller: Caller, order: TranslationOrder) -> Translation:
        """Translate every text of an order; durable when it returns.

        Blank texts stay as they are: a document's empty lines need no special care of its sender.

        Raises:
            SpeechgateError: See `shared.text.problems`; the inference server's own errors.
        """
        model, used = await self._selector.select(order.service_id, caller)
        characters = self._limits.bounds.check(order.texts)
        if not any(text.strip() for text in order.texts):
            raise EmptyText("/input", "There is no text.")
        pair = Pair(primary_language(order.pair.source), primary_language(order.pair.target))
        with self._bulkhead.admit(characters):
            watch = Stopwatch()
            layouts = await self._take_apart(order.texts, characters)
            run = _Run(
                new_id(), utc_now(), model, used, pair, order.texts, layouts, characters, watch
            )
            watch.lap("prepare")
            async with recording_failure(partial(self._record_failure, caller, run)):
                items = await self._produce(run)
            return await self._finish(caller, run, items)

    async def _take_apart(self, texts: Sequence[str], characters: int) -> list[Layout]:
        def all_layouts() -> list[Layout]:
            return [take_apart(text, longest=_LONGEST_SENTENCE) for text in texts]

        if characters <= _INLINE_CHARACTERS:
            return all_layouts()
        return await asyncio.get_running_loop().run_in_executor(self._workers, all_layouts)

    async def _produce(self, run: _Run) -> list[TranslatedItem]:
        served = await self._model.pairs(run.model)
        if served and run.pair not in served:
            raise UnsupportedLanguage(map(str, served), "/config/language")
        # A sentence that occurs twice is translated once.
        sentences = list(
            dict.fromkeys(part for layout in run.layouts for part in layout.sentences())
        )
        parallel = self._limits.parallel_batches
        batches = _batches(sentences, parallel=parallel, largest=self._limits.batch_sentences)
        translated = await map_bounded(partial(self._translate_batch, run), batches, parallel)
        run.watch.lap("inference")
        found = dict(zip(sentences, (text for batch in translated for text in batch), strict=True))
        return [
            TranslatedItem(source, layout.rejoin(found))
            for source, layout in zip(run.texts, run.layouts, strict=True)
        ]

    async def _translate_batch(self, run: _Run, batch: Sequence[str]) -> list[str]:
        self._metrics.batch(TASK, len(batch))
        return await self._model.translate(run.model, batch, run.pair)

    async def _finish(
        self, caller: Caller, run: _Run, items: Sequence[TranslatedItem]
    ) -> Translation:
        await self._repository.add(caller, run.record(), items)
        run.watch.lap("store")
        self._metrics.finished(TASK, str(run.pair), run.characters)
        timings = {**run.watch.laps, "total": run.watch.total_ms()}
        return Translation(run.id, tuple(items), run.characters, timings, run.used)

    async def _record_failure(self, caller: Caller, run: _Run, code: str) -> None:
        await self._repository.add(caller, replace(run.record(), error_code=code))


def _batches(sentences: Sequence[str], *, parallel: int, largest: int) -> list[Sequence[str]]:
    """Batches in order, sized so that a long text keeps every instance of the model busy."""
    size = min(max(-(-len(sentences) // parallel), _SMALLEST_BATCH), largest)
    return [sentences[start : start + size] for start in range(0, len(sentences), size)]
