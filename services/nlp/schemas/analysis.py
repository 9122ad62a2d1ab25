"""Bodies of the sentiment and language detection routes."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, StrictBool

from services.nlp.models.analysis import (
    Analysis,
    JudgedText,
    LanguageGuess,
    SentimentOrder,
    StoredAnalysis,
    Task,
)
from services.nlp.schemas.common import (
    LanguageCode,
    ServiceId,
    Status,
    TextItems,
    Usage,
    status_of,
)
from shared.wire import AnswerModel, RequestModel


class SentimentLanguage(RequestModel):
    """The language of all texts of a request."""

    source_language: LanguageCode


class SentimentConfig(RequestModel):
    """How to judge."""

    service_id: ServiceId | None = None
    language: SentimentLanguage
    per_segment: StrictBool = Field(
        default=True, description="Whether each sentence is judged as well"
    )


class SentimentRequest(RequestModel):
    """Body of `POST /api/v1/nlp/sentiment/inference`."""

    input: TextItems
    config: SentimentConfig

    def order(self) -> SentimentOrder:
        """The request as the domain knows it."""
        return SentimentOrder(
            texts=tuple(item.source for item in self.input),
            language=self.config.language.source_language,
            service_id=self.config.service_id or None,
            per_segment=self.config.per_segment,
        )


class SegmentEntry(AnswerModel):
    """How a sentence feels; its span is in characters (code points) of the text."""

    start: int
    end: int
    label: str
    score: float
    positive: float
    neutral: float
    negative: float


class SentimentEntry(AnswerModel):
    """How a text feels; the shares are from 0 to 1, the score from -1 to 1."""

    label: str
    score: float
    positive: float
    neutral: float
    negative: float
    segments: list[SegmentEntry] = Field(
        description="Its sentences in order; groups of them where it has more than a hundred"
    )


class SentimentOutput(AnswerModel):
    """One text and its sentiment."""

    source: str
    sentiment: SentimentEntry


class JudgedLanguage(AnswerModel):
    """The language that the texts were taken for."""

    source_language: str


class SentimentAnswerConfig(AnswerModel):
    """How it was judged."""

    service_id: str | None = None
    language: JudgedLanguage


class SentimentAnswer(AnswerModel):
    """Answer of `POST /api/v1/nlp/sentiment/inference`."""

    id: str
    task_type: Literal["sentiment"] = "sentiment"
    output: list[SentimentOutput]
    config: SentimentAnswerConfig
    usage: Usage
    timings: dict[str, float]

    @classmethod
    def of(cls, analysis: Analysis[JudgedText], request: SentimentRequest) -> "SentimentAnswer":
        """The answer for a finished request."""
        return cls(
            id=analysis.id,
            output=[
                SentimentOutput(
                    source=item.source,
                    sentiment=SentimentEntry.model_validate(asdict(found)),
                )
                for item, found in zip(request.input, analysis.findings, strict=True)
            ],
            config=SentimentAnswerConfig(
                service_id=request.config.service_id,
                language=JudgedLanguage(source_language=request.config.language.source_language),
            ),
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )


class DetectionRequest(RequestModel):
    """Body of `POST /api/v1/nlp/language-detection/inference`; a `config` is not needed."""

    input: TextItems


class LanguagePrediction(AnswerModel):
    """A language with its probability; `und` for a text without letters."""

    lang_code: str
    lang_score: float


class DetectionOutput(AnswerModel):
    """One text and its likeliest languages, best first."""

    source: str
    lang_prediction: list[LanguagePrediction]


class DetectionAnswer(AnswerModel):
    """Answer of `POST /api/v1/nlp/language-detection/inference`."""

    id: str
    task_type: Literal["language-detection"] = "language-detection"
    output: list[DetectionOutput]
    usage: Usage
    timings: dict[str, float]

    @classmethod
    def of(
        cls, analysis: Analysis[list[LanguageGuess]], request: DetectionRequest
    ) -> "DetectionAnswer":
        """The answer for a finished request."""
        return cls(
            id=analysis.id,
            output=[
                DetectionOutput(
                    source=item.source,
                    lang_prediction=[
                        LanguagePrediction(lang_code=guess.language, lang_score=guess.probability)
                        for guess in guesses
                    ],
                )
                for item, guesses in zip(request.input, analysis.findings, strict=True)
            ],
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )


class StoredFinding(AnswerModel):
    """One text and what was found."""

    source: str
    finding: Any


class StoredAnalysisAnswer(AnswerModel):
    """Answer of `GET /api/v1/nlp/requests/{id}`."""

    id: str
    request_id: str
    created_at: datetime
    task_type: Task
    status: Status
    error_code: str | None
    model: str
    language: str | None
    items: int
    characters: int
    latency_ms: float
    output: list[StoredFinding]

    @classmethod
    def of(cls, stored: StoredAnalysis) -> "StoredAnalysisAnswer":
        """The answer for a stored request."""
        record = stored.record
        return cls(
            id=record.id,
            request_id=stored.request_id,
            created_at=record.created_at,
            task_type=record.task,
            status=status_of(record.error_code),
            error_code=record.error_code,
            model=record.model,
            language=record.language,
            items=record.item_count,
            characters=record.characters,
            latency_ms=record.latency_ms,
            output=[
                StoredFinding(source=item.source, finding=item.finding) for item in stored.items
            ],
        )
