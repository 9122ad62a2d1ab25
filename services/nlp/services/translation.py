"""Translation: sentences, batches, rejoining, record."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from services.nlp.exceptions import TooManySentences
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
from services.nlp.services.batches import make_batches, staggered
from services.nlp.services.documents.terms import Terms
from services.nlp.services.glossaries import GlossaryService
from services.nlp.services.language_codes import direction_of, label_of, plain_pair
from services.nlp.services.layout import Layout
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from services.nlp.services.preparation import Preparation
from shared.caller import Caller
from shared.concurrency import Bulkhead, map_bounded
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.problem import RequestNotFound, Unavailable
from shared.serving import ModelSelector
from shared.text.clean import is_blank
from shared.text.problems import EmptyText, UnsupportedLanguage
from shared.timing import Stopwatch

TASK = "translation"
_INLINE_CHARACTERS = 2_000
"""Longer texts are worked on in a thread: they would hold up the event loop."""
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Run:
    """One request on its way."""

    id: str
    created_at: datetime
    model: str
    pair: Pair
    order: TranslationOrder
    preparation: Preparation
    wanted: list[str]
    slots: asyncio.Semaphore
    characters: int
    watch: Stopwatch

    @property
    def layouts(self) -> list[Layout]:
        return self.preparation.layouts

    def record(self) -> TranslationRecord:
        return TranslationRecord(
            id=self.id,
            created_at=self.created_at,
            model=self.model,
            pair=self.pair,
            item_count=len(self.order.texts),
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
        glossaries: GlossaryService,
        models: Mapping[str, str],
        selector: ModelSelector,
        limits: NlpLimits,
        metrics: NlpMetrics,
        workers: Executor,
        bulkhead: Bulkhead,
    ) -> None:
        self._model = model
        self._repository = repository
        self._glossaries = glossaries
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
        if all(is_blank(text) for text in order.texts):
            raise EmptyText("/input", "There is no text.")
        with self._bulkhead.admit(characters):
            watch = Stopwatch()
            pair = plain_pair(order.pair)
            glossaries, degraded = await self._terms(caller, order, pair)
            preparation = Preparation(order, glossaries)
            wanted = await self._prepared(preparation, characters, enough=self._ahead)
            run = _Run(
                id=new_id(),
                created_at=utc_now(),
                model=model,
                pair=pair,
                order=order,
                preparation=preparation,
                wanted=wanted,
                slots=asyncio.Semaphore(self._limits.parallel_batches),
                characters=characters,
                watch=watch,
            )
            watch.lap("prepare")
            async with recording_failure(partial(self._record_failure, caller, run)):
                served = await self._model.pairs(run.model)
                items = await self._produce(run, served)
            await self._repository.add(caller, run.record(), items)
            watch.lap("store")
        self._metrics.finished(TASK, label_of(pair, served), characters)
        timings = {**watch.laps, "total": watch.total_ms()}
        return Translation(run.id, tuple(items), characters, timings, used, degraded)

    async def _terms(
        self, caller: Caller, order: TranslationOrder, pair: Pair
    ) -> tuple[list[Terms], dict[str, str]]:
        """The glossaries to use, and why one is missing."""
        found = [await asyncio.to_thread(Terms, order.glossary)] if order.glossary else []
        if order.own_glossary:
            try:
                found.append(await self._glossaries.terms(caller.tenant_id, pair))
            except Unavailable as error:
                # Translations do not stop with the database; the answer says what it lacks.
                self._metrics.glossary_missed()
                return found, {"glossary": error.code}
        return found, {}

    @property
    def _ahead(self) -> int:
        """Sentences that keep the model busy while further texts are taken apart."""
        return self._limits.parallel_batches * self._limits.batch_sentences

    async def _prepared(
        self, preparation: Preparation, characters: int, enough: int | None = None
    ) -> list[str]:
        """What further texts want of the model; TooManySentences where it is too much."""
        wanted = await self._threaded(characters, partial(preparation.more, enough))
        self._check_count(sum(len(layout.wanted) for layout in preparation.layouts))
        self._check_count(preparation.distinct)
        return wanted

    def _check_count(self, texts: int) -> None:
        if texts > self._limits.sentences:
            raise TooManySentences(self._limits.sentences)

    async def _threaded(self, characters: int, work: Callable[[], Made]) -> Made:
        if characters <= _INLINE_CHARACTERS:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def _produce(self, run: _Run, served: Sequence[Pair]) -> list[TranslatedItem]:
        direction = direction_of(run.order.pair, run.order.scripts, served)
        if direction is None:
            raise UnsupportedLanguage(map(str, served), "/config/language")
        found = await self._translated_whole(run, direction)
        broken = await self._threaded(
            run.characters,
            lambda: [one for layout in run.layouts for one in layout.broken(found)],
        )
        pieces = (text for sentence in broken for text in sentence.piece_texts())
        left = [text for text in dict.fromkeys(pieces) if text not in found]
        self._check_count(len(left))
        found |= await self._translated(run, direction, self._batches(left))
        self._count_marks(run, len(broken))
        targets = await self._threaded(
            run.characters, lambda: [layout.rejoin(found) for layout in run.layouts]
        )
        run.watch.lap("inference")
        return [
            TranslatedItem(source, target)
            for source, target in zip(run.order.texts, targets, strict=True)
        ]

    def _count_marks(self, run: _Run, broken: int) -> None:
        wanted = [one for layout in run.layouts for one in layout.wanted if one.marked]
        at_once = sum(one.text is not None for one in wanted)
        self._metrics.marked(kept=at_once - broken, split=len(wanted) - at_once + broken)

    async def _translated_whole(self, run: _Run, direction: Pair) -> dict[str, str]:
        """Translation by text of all that is wanted; the first batches do not wait for the last."""
        wanted = run.wanted
        if run.preparation.done and len(wanted) <= self._ahead:
            return await self._translated(run, direction, self._batches(wanted))
        first = staggered(
            wanted, parallel=self._limits.parallel_batches, largest=self._limits.batch_sentences
        )
        late = wanted[sum(map(len, first)) :]

        async def others() -> dict[str, str]:
            further = await self._prepared(run.preparation, run.characters)
            return await self._translated(run, direction, self._batches(late + further))

        async def begin() -> dict[str, str]:
            return await self._translated(run, direction, first)

        begun, rest = await map_bounded(lambda step: step(), (begin, others), 2)
        return begun | rest

    def _batches(self, texts: Sequence[str]) -> list[Sequence[str]]:
        return make_batches(
            texts, parallel=self._limits.parallel_batches, largest=self._limits.batch_sentences
        )

    async def _translated(
        self, run: _Run, direction: Pair, batches: Sequence[Sequence[str]]
    ) -> dict[str, str]:
        """Translation by text.

        Args:
            run: The request.
            direction: As the model names it.
            batches: Of texts, each once.
        """
        translated = await map_bounded(
            partial(self._translate_batch, run, direction), batches, self._limits.parallel_batches
        )
        return {
            text: found
            for batch, answers in zip(batches, translated, strict=True)
            for text, found in zip(batch, answers, strict=True)
        }

    async def _translate_batch(self, run: _Run, direction: Pair, batch: Sequence[str]) -> list[str]:
        async with run.slots:
            self._metrics.batch(TASK, len(batch))
            return await self._model.translate(run.model, batch, direction)

    async def _record_failure(self, caller: Caller, run: _Run, code: str) -> None:
        await self._repository.add(caller, replace(run.record(), error_code=code))
