"""The course that all requests about texts take: bounds, work, record, counts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from services.nlp.models.analysis import (
    Analysis,
    AnalysisRecord,
    AnalyzedItem,
    Finding,
    StoredAnalysis,
    Task,
)
from services.nlp.repositories.analyses import AnalysisRepository
from services.nlp.services.language_codes import language_label
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from shared.caller import Caller
from shared.concurrency import Bulkhead
from shared.db.base import new_id, utc_now
from shared.failures import recording_failure
from shared.logging import get_logger
from shared.problem import RequestNotFound
from shared.text.clean import is_blank
from shared.text.languages import primary_language
from shared.text.problems import EmptyText, UnsupportedLanguage
from shared.timing import Stopwatch

Result = TypeVar("Result")
_INLINE_CHARACTERS = 200
"""Rules over more take over a millisecond: in a worker thread."""
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Undertaking:
    """What a request asks for.

    Attributes:
        task: The task.
        model: What does it; `rules` where no model is asked.
        language: Given by the client; None where it is what is asked for.
        texts: As the client wrote them.
    """

    task: Task
    model: str
    language: str | None
    texts: tuple[str, ...]


class Course:
    """Takes requests from their texts to stored findings."""

    def __init__(
        self,
        repository: AnalysisRepository,
        limits: NlpLimits,
        metrics: NlpMetrics,
        workers: Executor,
        bulkhead: Bulkhead,
    ) -> None:
        self._repository = repository
        self._limits = limits
        self.metrics = metrics
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

    async def run(
        self,
        caller: Caller,
        asked: Undertaking,
        work: Callable[[Sequence[str]], Awaitable[Sequence[Finding]]],
        kept: Callable[[str, Finding], AnalyzedItem] | None = None,
    ) -> Analysis[Finding]:
        """Do the work; durable when it returns.

        Args:
            caller: Who asks.
            asked: What for.
            work: Finds one thing for each text, in order.
            kept: What is stored of a text and its finding; both as they are when absent.

        Raises:
            SpeechgateError: See `shared.text.problems`; what the work raises.
        """
        characters = self._limits.bounds.check(asked.texts)
        watch = Stopwatch()
        record = AnalysisRecord(
            id=new_id(),
            created_at=utc_now(),
            task=asked.task,
            model=asked.model,
            language=asked.language,
            item_count=len(asked.texts),
            characters=characters,
            latency_ms=0.0,
        )

        async def record_failure(code: str) -> None:
            failed = replace(record, latency_ms=watch.total_ms(), error_code=code)
            await self._repository.add(caller, failed)

        with self._bulkhead.admit(characters):
            _require_text(asked.texts)
            watch.lap("prepare")
            async with recording_failure(record_failure):
                findings = await work(asked.texts)
            watch.lap("inference")
            keep = kept or _as_it_is
            items = [
                keep(text, finding) for text, finding in zip(asked.texts, findings, strict=True)
            ]
            await self._repository.add(caller, replace(record, latency_ms=watch.total_ms()), items)
            watch.lap("store")
        self.metrics.finished(asked.task, language_label(asked.language), characters)
        timings = {**watch.laps, "total": watch.total_ms()}
        _logger.info(
            "texts analyzed",
            task=asked.task.value,
            id=record.id,
            items=len(asked.texts),
            characters=characters,
            ms=round(timings["total"], 1),
        )
        return Analysis(record.id, tuple(findings), characters, timings)

    async def think(self, function: Callable[[str], Result], texts: Sequence[str]) -> list[Result]:
        """A pure function of each text; in a worker thread where that is worth it."""

        def all_of_them() -> list[Result]:
            return [function(text) for text in texts]

        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            return all_of_them()
        return await asyncio.get_running_loop().run_in_executor(self._workers, all_of_them)


def served_language(code: str, served: frozenset[str]) -> str:
    """The language of a tag, if rules know it.

    Raises:
        UnsupportedLanguage: They do not; the error lists those that they know.
    """
    language = primary_language(code)
    if language not in served:
        raise UnsupportedLanguage(sorted(served), "/config/language/sourceLanguage")
    return language


def _require_text(texts: Sequence[str]) -> None:
    if not texts:
        raise EmptyText("/input", "There is no text.")
    for index, text in enumerate(texts):
        if is_blank(text):
            raise EmptyText(f"/input/{index}/source")


def _as_it_is(text: str, finding: Any) -> AnalyzedItem:
    if isinstance(finding, list | tuple):
        return AnalyzedItem(text, [asdict(entry) for entry in finding])
    return AnalyzedItem(text, asdict(finding))
