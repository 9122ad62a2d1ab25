"""Parts of what the conversation routes answer."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.nlp.models.conversation import Role, RoleSource, Severity


class Out(BaseModel):
    """Read from the domain's objects."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class FeelingOut(Out):
    """`positive`, `neutral` or `negative`, and a score from -1 to 1."""

    label: str
    score: float


class MoodOut(FeelingOut):
    """The mean of a speaker or call; `change` is the last third's score less the first third's."""

    change: float | None
    trend: str | None


class SegmentOut(Out):
    """A segment as it was analyzed."""

    speaker: str
    start: float
    end: float
    text: str
    sentiment: FeelingOut | None = Field(validation_alias="feeling")


class RoleOut(Out):
    """The role of a speaker; `because` says what a guess rests on."""

    speaker: str
    role: Role
    source: RoleSource
    confidence: float
    because: list[str]


class StretchOut(Out):
    """A part of the call, seconds."""

    seconds: float
    start: float
    end: float


class ResponseTimesOut(Out):
    """Silence before answers, seconds."""

    median: float | None
    longest: float | None


class QuestionsOut(Out):
    """How many were asked."""

    open: int | None
    closed: int | None


class SpeakerMetricsOut(Out):
    """Figures of one speaker; `filler_rate` is in 100 words."""

    speaker: str
    role: Role
    segments: int
    words: int
    talk_seconds: float
    talk_ratio: float
    longest_monologue: StretchOut | None
    interruptions: int
    response_time: ResponseTimesOut
    questions: QuestionsOut
    fillers: int | None
    filler_rate: float | None
    words_per_minute: float | None
    sentiment: MoodOut | None


class MetricsOut(Out):
    """Figures of the call."""

    duration: float
    speech_seconds: float
    silence_share: float
    overlap_seconds: float
    switches: int
    switches_per_minute: float
    interruptions: int
    response_time: ResponseTimesOut
    questions: QuestionsOut
    longest_monologue: StretchOut | None
    speakers: list[SpeakerMetricsOut]


class MomentOut(Out):
    """A coachable moment; `quote` is a part of the text of the segment with this index."""

    rule_id: str
    rule_version: str
    severity: Severity
    speaker: str
    segment: int
    start: float
    end: float
    quote: str
    advice: str
    evidence: dict[str, Any]


class SkippedOut(Out):
    """A rule that could not be applied."""

    rule_id: str
    reason: str


class DegradedOut(Out):
    """A step that failed; the rest is complete."""

    step: str
    reason: str
