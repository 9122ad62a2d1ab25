"""Tasks that say something about a text: sentiment, language detection and others."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

Finding = TypeVar("Finding")


class Task(StrEnum):
    """The tasks, by the names of the public API."""

    SENTIMENT = "sentiment"
    LANGUAGE_DETECTION = "language-detection"
    TRANSLITERATION = "transliteration"
    NER = "ner"
    PII = "pii"
    KEYWORDS = "keywords"
    SUMMARY = "summary"
    ITN = "itn"
    PUNCTUATION = "punctuation"


@dataclass(frozen=True, slots=True)
class SentimentOrder:
    """A request for sentiment; of each sentence too unless `per_segment` is False."""

    texts: tuple[str, ...]
    language: str
    service_id: str | None = None
    per_segment: bool = True


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How a text feels.

    Attributes:
        label: `positive`, `neutral` or `negative`.
        score: -1 (negative) to 1.
        positive: Share of the text, 0 to 1; likewise `neutral` and `negative`.
    """

    label: str
    score: float
    positive: float
    neutral: float
    negative: float


@dataclass(frozen=True, slots=True)
class JudgedSegment:
    """How a part of a text feels; see `Sentiment`.

    Attributes:
        start: Index of its first character; `end` is after the last.
    """

    start: int
    end: int
    label: str
    score: float
    positive: float
    neutral: float
    negative: float


@dataclass(frozen=True, slots=True)
class JudgedText:
    """How a text feels, and its sentences where that was asked for; see `Sentiment`."""

    label: str
    score: float
    positive: float
    neutral: float
    negative: float
    segments: tuple[JudgedSegment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text as a task wrote it."""

    text: str


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """A language that a text may be in, with its probability."""

    language: str
    probability: float


@dataclass(frozen=True, slots=True)
class Analysis(Generic[Finding]):
    """A finished request.

    Attributes:
        id: Of the stored request.
        findings: One for each text, in order.
        characters: Of all texts.
        timings_ms: Duration of each step.
    """

    id: str
    findings: tuple[Finding, ...]
    characters: int
    timings_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """What is kept of every request that reached the engine.

    Attributes:
        language: Given by the client; None where it is what is asked for.
    """

    id: str
    created_at: datetime
    task: Task
    model: str
    language: str | None
    item_count: int
    characters: int
    latency_ms: float
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class AnalyzedItem:
    """A text and what was found, as a JSON document."""

    source: str
    finding: Any


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """A stored request as its tenant may read it."""

    record: AnalysisRecord
    request_id: str
    items: tuple[AnalyzedItem, ...]
