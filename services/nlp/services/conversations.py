"""Analysis of a conversation: sentiment from the model, the rest from rules."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from services.nlp.inference.sentiment import MAX_BATCH, SentimentModel
from services.nlp.models.analysis import Sentiment
from services.nlp.models.conversation import (
    ConversationAnalysis,
    ConversationContent,
    ConversationOrder,
    ConversationRecord,
    DegradedStep,
    Feeling,
    Findings,
    Segment,
    StoredConversation,
)
from services.nlp.repositories.conversations import ConversationRepository
from services.nlp.services.conversation.analyze import analyze
from services.nlp.services.conversation.transcript import RuleSet
from services.nlp.services.conversation_bounds import ConversationBounds, cleaned
from services.nlp.services.conversation_counts import ConversationCounts
from services.nlp.services.conversation_rules import ConversationRules
from shared.caller import Caller
from shared.concurrency import Bulkhead, map_bounded
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.logging import get_logger
from shared.problem import RequestNotFound, SpeechgateError
from shared.text.languages import primary_language
from shared.text.problems import UnsupportedLanguage
from shared.timing import Stopwatch

Result = TypeVar("Result")
SENTIMENT_STEP = "sentiment"
_INLINE_CHARACTERS = 2_000
"""Longer conversations are analyzed in a worker thread: they would hold up the event loop."""
_NEUTRAL = Feeling("neutral", 0.0)
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """How conversations are worked on.

    Attributes:
        model: Sentiment model.
        parallel_batches: Calls of one request to it at once.
        sentiment_timeout_s: After which the rest goes on without sentiment.
    """

    bounds: ConversationBounds
    model: str
    parallel_batches: int
    sentiment_timeout_s: float


@dataclass(frozen=True, slots=True)
class _Run:
    """One request on its way."""

    id: str
    created_at: datetime
    order: ConversationOrder
    language: str
    characters: int
    watch: Stopwatch


class ConversationService:
    """Analyzes conversations, keeps them, and analyzes them again by other rules."""

    def __init__(
        self,
        sentiment: SentimentModel,
        repository: ConversationRepository,
        rules: ConversationRules,
        settings: ConversationSettings,
        counts: ConversationCounts,
        workers: Executor,
        bulkhead: Bulkhead,
    ) -> None:
        self._sentiment = sentiment
        self._repository = repository
        self._rules = rules
        self._settings = settings
        self._counts = counts
        self._workers = workers
        self._bulkhead = bulkhead

    async def analyze(self, caller: Caller, order: ConversationOrder) -> ConversationAnalysis:
        """Sentiment, figures and moments of a conversation; durable when it returns.

        Without sentiment, and while the tenant's rules cannot be read, the rest still comes, and
        `degraded` says what is missing.

        Raises:
            SpeechgateError: See `ConversationBounds`; no such rules; nothing can be stored.
        """
        characters = self._settings.bounds.check(order)
        language = primary_language(order.language)
        rules, without = await self._rules.ready(caller.tenant_id, order.rules_version)
        run = _Run(new_id(), utc_now(), order, language, characters, Stopwatch())
        with self._bulkhead.admit(characters):
            async with recording_failure(partial(self._record_failure, caller, run, rules)):
                segments = await self._in_worker(characters, partial(cleaned, order.segments))
                felt, unfelt = await self._feel(segments, language)
                findings = await self._in_worker(
                    characters, partial(analyze, felt, language, order.roles, rules)
                )
            degraded = tuple(step for step in (without, unfelt) if step is not None)
            await self._store(caller, run, felt, findings, degraded)
        self._counts.finished(rules.document, findings, degraded, characters)
        return ConversationAnalysis(run.id, language, felt, findings, degraded, characters)

    async def stored(self, caller: Caller, request_id: str) -> StoredConversation:
        """A conversation of the caller's tenant.

        Raises:
            RequestNotFound: Absent, or another tenant's.
        """
        found = await self._repository.find(caller.tenant_id, request_id)
        if found is None:
            raise RequestNotFound
        return found

    async def replay(
        self, caller: Caller, request_id: str, version: str | None
    ) -> ConversationAnalysis:
        """Analyze a stored conversation by other rules; nothing is stored.

        Args:
            caller: Who asks.
            request_id: Of the stored conversation.
            version: Of the rules; None for those in force.

        Raises:
            RequestNotFound: Absent, another tenant's, or its words were not kept.
            SpeechgateError: No such rules; the database does not answer.
        """
        found = await self.stored(caller, request_id)
        content = found.content
        if content is None:
            raise RequestNotFound
        rules, without = await self._rules.ready(caller.tenant_id, version)
        record = found.record
        with self._bulkhead.admit(record.characters):
            findings = await self._in_worker(
                record.characters,
                partial(analyze, content.segments, record.language, content.roles, rules),
            )
        # How its own rules were found then does not matter now.
        degraded = [step for step in content.degraded if step.step == SENTIMENT_STEP]
        if without is not None:
            degraded.append(without)
        return ConversationAnalysis(
            record.id,
            record.language,
            content.segments,
            findings,
            tuple(degraded),
            record.characters,
        )

    async def _feel(
        self, segments: Sequence[Segment], language: str
    ) -> tuple[tuple[Segment, ...], DegradedStep | None]:
        """The segments with their sentiment, or without it and why."""
        worded = [one for one in segments if one.text.strip()]
        try:
            async with asyncio.timeout(self._settings.sentiment_timeout_s):
                scored = await self._scores([one.text for one in worded], language)
        except TimeoutError:
            return tuple(segments), _without_sentiment("deadline_exceeded")
        except SpeechgateError as error:
            return tuple(segments), _without_sentiment(error.code)
        # Adding zero: the negative zero is not stored alike everywhere.
        feelings = {
            one.index: Feeling(found.label, found.score + 0.0)
            for one, found in zip(worded, scored, strict=True)
        }
        return tuple(
            replace(one, feeling=feelings.get(one.index, _NEUTRAL)) for one in segments
        ), None

    async def _scores(self, texts: Sequence[str], language: str) -> list[Sentiment]:
        model = self._settings.model
        served = await self._sentiment.languages(model)
        if served and language not in served:
            raise UnsupportedLanguage(served, "/language")
        batches = [texts[start : start + MAX_BATCH] for start in range(0, len(texts), MAX_BATCH)]

        async def score(batch: Sequence[str]) -> list[Sentiment]:
            return await self._sentiment.score(model, batch, language)

        scored = await map_bounded(score, batches, self._settings.parallel_batches)
        return [found for batch in scored for found in batch]

    async def _store(
        self,
        caller: Caller,
        run: _Run,
        segments: tuple[Segment, ...],
        findings: Findings,
        degraded: tuple[DegradedStep, ...],
    ) -> None:
        record = self._record(run, findings.rules_version, len(findings.moments))
        content = None
        if run.order.store_content:
            content = ConversationContent(segments, run.order.roles, degraded)
        await self._repository.add(caller, record, content)

    async def _record_failure(self, caller: Caller, run: _Run, rules: RuleSet, code: str) -> None:
        failed = replace(self._record(run, rules.version, 0), error_code=code)
        await self._repository.add(caller, failed)

    def _record(self, run: _Run, rules_version: str, moments: int) -> ConversationRecord:
        return ConversationRecord(
            id=run.id,
            created_at=run.created_at,
            model=self._settings.model,
            language=run.language,
            rules_version=rules_version,
            segments=len(run.order.segments),
            characters=run.characters,
            moments=moments,
            latency_ms=run.watch.total_ms(),
        )

    async def _in_worker(self, characters: int, work: Callable[[], Result]) -> Result:
        if characters <= _INLINE_CHARACTERS:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _without_sentiment(reason: str) -> DegradedStep:
    _logger.warning("conversation analyzed without sentiment", reason=reason)
    return DegradedStep(SENTIMENT_STEP, reason)
