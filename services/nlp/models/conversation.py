"""What is said in a call, and what is found in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Which side of a sales call a speaker is on."""

    AGENT = "agent"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class RoleSource(StrEnum):
    """How a role came to be known."""

    GIVEN = "given"
    GUESSED = "guessed"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much a moment matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Feeling:
    """A sentiment: `positive`, `neutral` or `negative`, and its score from -1 to 1."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Segment:
    """What one speaker says in one piece.

    Attributes:
        index: In the request.
        start: Seconds from the start of the call; likewise `end`.
        feeling: None where it could not be told.
    """

    index: int
    speaker: str
    start: float
    end: float
    text: str
    feeling: Feeling | None = None


@dataclass(frozen=True, slots=True)
class ConversationOrder:
    """A request for an analysis.

    Attributes:
        segments: In the order of the request, which need not be that of time.
        roles: By speaker, as far as the client knows them.
        rules_version: None for the rules in force.
        store_content: Whether the words may be kept.
    """

    segments: tuple[Segment, ...]
    language: str
    roles: Mapping[str, Role]
    rules_version: str | None = None
    store_content: bool = True


@dataclass(frozen=True, slots=True)
class SpeakerRole:
    """The role of a speaker.

    Attributes:
        confidence: 0 to 1; 1 where it was given.
        because: What a guess rests on, in words.
    """

    speaker: str
    role: Role
    source: RoleSource
    confidence: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the call, in seconds."""

    seconds: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Silence before somebody answers, in seconds; None where nobody did."""

    median: float | None
    longest: float | None


@dataclass(frozen=True, slots=True)
class Questions:
    """How many were asked; None where the rules do not know the language."""

    open: int | None
    closed: int | None


@dataclass(frozen=True, slots=True)
class Mood:
    """The sentiment of a speaker or call, and where it went.

    Attributes:
        change: Score of the last third minus that of the first; None for too little talk.
        trend: `rising`, `steady` or `falling`.
    """

    label: str
    score: float
    change: float | None
    trend: str | None


@dataclass(frozen=True, slots=True)
class SpeakerMetrics:
    """Figures of one speaker.

    Attributes:
        talk_ratio: Share of all speakers' talk, 0 to 1.
        interruptions: How often this speaker cut in.
        response_time: Of this speaker, to the others.
        filler_rate: In 100 words; None where the rules do not know the language.
        words_per_minute: None for too little talk.
    """

    speaker: str
    role: Role
    segments: int
    words: int
    talk_seconds: float
    talk_ratio: float
    longest_monologue: Stretch | None
    interruptions: int
    response_time: ResponseTimes
    questions: Questions
    fillers: int | None
    filler_rate: float | None
    words_per_minute: float | None
    sentiment: Mood | None


@dataclass(frozen=True, slots=True)
class CallMetrics:
    """Figures of the whole call; times in seconds, shares from 0 to 1."""

    duration: float
    speech_seconds: float
    silence_share: float
    overlap_seconds: float
    switches: int
    switches_per_minute: float
    interruptions: int
    response_time: ResponseTimes
    questions: Questions
    longest_monologue: Stretch | None
    speakers: tuple[SpeakerMetrics, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is worth a coach's word.

    Attributes:
        rule_version: Of the rules that found it.
        segment: Index of the segment that the quote is from.
        start: Of the part to listen to, seconds; likewise `end`.
        quote: Exactly as the segment has it.
        advice: A sentence that can be spoken.
        evidence: Figures and words that made the rule fire.
    """

    rule_id: str
    rule_version: str
    severity: Severity
    speaker: str
    segment: int
    start: float
    end: float
    quote: str
    advice: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SkippedRule:
    """A rule that could not be applied, and why."""

    rule_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DegradedStep:
    """A step that failed, and the code of the failure."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the rules and figures say of a call; the same for the same input."""

    rules_version: str
    roles: tuple[SpeakerRole, ...]
    sentiment: Mood | None
    metrics: CallMetrics
    moments: tuple[Moment, ...]
    skipped: tuple[SkippedRule, ...]


@dataclass(frozen=True, slots=True)
class ConversationAnalysis:
    """A finished request."""

    id: str
    language: str
    segments: tuple[Segment, ...]
    findings: Findings
    degraded: tuple[DegradedStep, ...]
    characters: int


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """What is kept of every request."""

    id: str
    created_at: datetime
    model: str
    language: str
    rules_version: str
    segments: int
    characters: int
    moments: int
    latency_ms: float
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationContent:
    """What is kept of a conversation whose words may be: enough to analyze it again."""

    segments: tuple[Segment, ...]
    roles: Mapping[str, Role]
    degraded: tuple[DegradedStep, ...]


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A stored request as its tenant may read it."""

    record: ConversationRecord
    request_id: str
    content: ConversationContent | None


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """Rules as a tenant wrote them; a version never changes.

    Attributes:
        version: `builtin-1` for those of the product, `1`, `2`, … for a tenant's own.
        created_at: None for the product's.
        document: See `services.nlp.services.conversation.document`.
    """

    version: str
    created_at: datetime | None
    document: Mapping[str, Any]
