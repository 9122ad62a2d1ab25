"""Sentiment and language detection: the same course, another engine."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from services.nlp.inference.langid import LanguageDetector
from services.nlp.inference.sentiment import MAX_BATCH, SentimentModel
from services.nlp.models.analysis import (
    Analysis,
    AnalysisRecord,
    AnalyzedItem,
    Finding,
    LanguageGuess,
    Sentiment,
    SentimentOrder,
    StoredAnalysis,
    Task,
)
from services.nlp.repositories.analyses import AnalysisRepository
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from shared.caller import Caller
from shared.concurrency import Bulkhead, map_bounded
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.problem import RequestNotFound
from shared.text.clean import clean_text
from shared.text.languages import primary_language
from shared.text.problems import EmptyText, UnsupportedLanguage, pick_model
from shared.timing import Stopwatch

_DETECTOR = "py3langid"
_INLINE_CHARACTERS = 500
"""Detecting the language of more takes over 1 ms: in a worker thread."""


class AnalysisService:
    """Says something about texts and keeps it."""

    def __init__(
        self,
        sentiment: SentimentModel,
        detector: LanguageDetector,
        repository: AnalysisRepository,
        sentiment_models: Mapping[str, str],
        limits: NlpLimits,
        metrics: NlpMetrics,
        workers: Executor,
        bulkhead: Bulkhead,
    ) -> None:
        self._sentiment = sentiment
        self._detector = detector
        self._repository = repository
        self._sentiment_models = sentiment_models
        self._limits = limits
        self._metrics = metrics
        self._workers = workers
        self._bulkhead = bulkhead

    async def stored(self, caller: Caller, request_id: str) -> StoredAnalysis:
        """A request of the caller's tenant.

        Raises:
            RequestNotFound: Absent, or another tenant's.
        """
        found = await self._repository.find(caller.tenant_id, request_id)
        if found is None:
            raise RequestNotFound
        return found

    async def sentiment(self, caller: Caller, order: SentimentOrder) -> Analysis[Sentiment]:
        """How each text feels.

        Raises:
            SpeechgateError: See `shared.text.problems`; the inference server's own errors.
        """
        model = pick_model(self._sentiment_models, order.service_id)
        language = primary_language(order.language)

        async def score(texts: Sequence[str]) -> list[Sentiment]:
            served = await self._sentiment.languages(model)
            if served and language not in served:
                raise UnsupportedLanguage(served, "/config/language/sourceLanguage")
            batches = [
                texts[start : start + MAX_BATCH] for start in range(0, len(texts), MAX_BATCH)
            ]
            scored = await map_bounded(
                partial(self._score_batch, model, language), batches, self._limits.parallel_batches
            )
            return [sentiment for batch in scored for sentiment in batch]

        return await self._analyze(caller, Task.SENTIMENT, model, language, order.texts, score)

    async def detect(self, caller: Caller, texts: tuple[str, ...]) -> Analysis[list[LanguageGuess]]:
        """The likeliest languages of each text.

        Raises:
            SpeechgateError: See `shared.text.problems`.
        """

        async def guess(cleaned: Sequence[str]) -> list[list[LanguageGuess]]:
            if sum(map(len, cleaned)) <= _INLINE_CHARACTERS:
                return self._detector.detect(cleaned)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, self._detector.detect, cleaned)

        return await self._analyze(caller, Task.LANGUAGE_DETECTION, _DETECTOR, None, texts, guess)

    async def _score_batch(
        self, model: str, language: str, texts: Sequence[str]
    ) -> list[Sentiment]:
        self._metrics.batch(Task.SENTIMENT, len(texts))
        return await self._sentiment.score(model, texts, language)

    async def _analyze(
        self,
        caller: Caller,
        task: Task,
        model: str,
        language: str | None,
        texts: tuple[str, ...],
        work: Callable[[Sequence[str]], Awaitable[list[Finding]]],
    ) -> Analysis[Finding]:
        characters = self._limits.bounds.check(texts)
        watch = Stopwatch()
        record = AnalysisRecord(
            id=new_id(),
            created_at=utc_now(),
            task=task,
            model=model,
            language=language,
            item_count=len(texts),
            characters=characters,
            latency_ms=0.0,
        )

        async def record_failure(code: str) -> None:
            failed = replace(record, latency_ms=watch.total_ms(), error_code=code)
            await self._repository.add(caller, failed)

        with self._bulkhead.admit(characters):
            cleaned = _cleaned(texts)
            watch.lap("prepare")
            async with recording_failure(record_failure):
                findings = await work(cleaned)
            watch.lap("inference")
            items = [
                AnalyzedItem(text, _document(finding))
                for text, finding in zip(texts, findings, strict=True)
            ]
            await self._repository.add(caller, replace(record, latency_ms=watch.total_ms()), items)
            watch.lap("store")
        self._metrics.finished(task, language or "any", characters)
        timings = {**watch.laps, "total": watch.total_ms()}
        return Analysis(record.id, tuple(findings), characters, timings)


def _cleaned(texts: Sequence[str]) -> list[str]:
    if not texts:
        raise EmptyText("/input", "There is no text.")
    cleaned = [clean_text(text) for text in texts]
    for index, text in enumerate(cleaned):
        if not text.strip():
            raise EmptyText(f"/input/{index}/source")
    return cleaned


def _document(finding: Any) -> Any:
    if isinstance(finding, list):
        return [asdict(entry) for entry in finding]
    return asdict(finding)
