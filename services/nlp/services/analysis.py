"""Sentiment and language detection: the same course, another engine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import NamedTuple

from services.nlp.inference.langid import LanguageDetector
from services.nlp.inference.sentiment import MAX_BATCH, SentimentModel
from services.nlp.models.analysis import (
    Analysis,
    JudgedSegment,
    JudgedText,
    LanguageGuess,
    Sentiment,
    SentimentOrder,
    StoredAnalysis,
    Task,
)
from services.nlp.services.course import Course, Undertaking
from services.nlp.services.limits import NlpLimits
from services.nlp.services.summary import sentence_spans
from shared.caller import Caller
from shared.concurrency import map_bounded
from shared.serving import ModelSelector
from shared.text.clean import clean_text
from shared.text.languages import primary_language
from shared.text.problems import UnsupportedLanguage

_DETECTOR = "py3langid"
MOST_SEGMENTS = 100
"""Of one text; where it has more sentences, neighbours are judged together."""
Span = tuple[int, int]


class _Parts(NamedTuple):
    """What is judged of a text, as the model sees it; segments by their spans."""

    whole: str
    segments: dict[Span, str]


class AnalysisService:
    """Says something about texts and keeps it."""

    def __init__(
        self,
        sentiment: SentimentModel,
        detector: LanguageDetector,
        course: Course,
        selector: ModelSelector,
        limits: NlpLimits,
    ) -> None:
        self._sentiment = sentiment
        self._detector = detector
        self._course = course
        self._selector = selector
        self._limits = limits

    async def stored(self, caller: Caller, request_id: str) -> StoredAnalysis:
        """A request of the caller's tenant.

        Raises:
            RequestNotFound: Absent, or another tenant's.
        """
        return await self._course.stored(caller, request_id)

    async def sentiment(self, caller: Caller, order: SentimentOrder) -> Analysis[JudgedText]:
        """How each text feels, and each of its sentences where that is asked for.

        Raises:
            SpeechgateError: See `shared.text.problems`; the inference server's own errors.
        """
        model, _ = await self._selector.select(order.service_id, caller)
        language = primary_language(order.language)

        async def judge(texts: Sequence[str]) -> list[JudgedText]:
            served = await self._sentiment.languages(model)
            if served and language not in served:
                raise UnsupportedLanguage(served, "/config/language/sourceLanguage")
            parts = await self._course.think(
                partial(_taken_apart, per_segment=order.per_segment), texts
            )
            wanted = (text for one in parts for text in (one.whole, *one.segments.values()))
            scored = await self._scores(model, language, list(dict.fromkeys(wanted)))
            return [_judged(one, scored) for one in parts]

        asked = Undertaking(Task.SENTIMENT, model, language, order.texts)
        return await self._course.run(caller, asked, judge)

    async def detect(self, caller: Caller, texts: tuple[str, ...]) -> Analysis[list[LanguageGuess]]:
        """The likeliest languages of each text, best first.

        Raises:
            SpeechgateError: See `shared.text.problems`.
        """

        def detected(text: str) -> list[LanguageGuess]:
            return self._detector.detect([clean_text(text)])[0]

        async def guess(given: Sequence[str]) -> list[list[LanguageGuess]]:
            return await self._course.think(detected, given)

        asked = Undertaking(Task.LANGUAGE_DETECTION, _DETECTOR, None, texts)
        return await self._course.run(caller, asked, guess)

    async def _scores(
        self, model: str, language: str, parts: Sequence[str]
    ) -> dict[str, Sentiment]:
        """Sentiment by part: what occurs twice is judged once."""
        batches = [parts[start : start + MAX_BATCH] for start in range(0, len(parts), MAX_BATCH)]
        scored = await map_bounded(
            partial(self._score_batch, model, language), batches, self._limits.parallel_batches
        )
        return dict(zip(parts, (one for batch in scored for one in batch), strict=True))

    async def _score_batch(
        self, model: str, language: str, texts: Sequence[str]
    ) -> list[Sentiment]:
        self._course.metrics.batch(Task.SENTIMENT, len(texts))
        return await self._sentiment.score(model, texts, language)


def segment_spans(text: str) -> list[Span]:
    """Where the sentences of a text are; at most `MOST_SEGMENTS` groups of them."""
    spans = [span for span in sentence_spans(text) if clean_text(text[slice(*span)]).strip()]
    size = -(-len(spans) // MOST_SEGMENTS)
    return [
        (spans[first][0], spans[min(first + size, len(spans)) - 1][1])
        for first in range(0, len(spans), size or 1)
    ]


def _taken_apart(text: str, *, per_segment: bool) -> _Parts:
    spans = segment_spans(text) if per_segment else []
    return _Parts(clean_text(text), {span: clean_text(text[slice(*span)]) for span in spans})


def _judged(parts: _Parts, scored: Mapping[str, Sentiment]) -> JudgedText:
    segments = tuple(
        JudgedSegment(*span, **asdict(scored[text])) for span, text in parts.segments.items()
    )
    return JudgedText(**asdict(scored[parts.whole]), segments=segments)
