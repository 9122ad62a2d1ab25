"""Recorded calls as the gateway keeps them: references into the services, and no content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class CallStatus(StrEnum):
    """How whole a call's analysis is."""

    COMPLETE = "complete"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Degradation:
    """A step that an answer does without, and the code of what went wrong."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call.

    Attributes:
        id: Given to the sender; joins the log lines of all steps.
        subject: Who sent it.
        request_id: Of the request that made it.
        trace_id: Likewise.
        duration_s: Length of the recording.
        asr_id: Of the transcript, in the ASR service.
        analysis_id: Of sentiment and moments, in the NLP service; None where there is none.
        rules_version: Of the rules that found the moments.
        recording_id: Of the kept recording, in the ASR service; None where none was kept.
        details: What the sender said of it: title, external id, names. The only personal data here.
        roles: Role of each speaker that has one.
        degraded: What was missing when it was made.
        timings: Milliseconds by step.
        tracked: Its content may be stored; without, transcript and analysis were answered once.
    """

    id: str
    tenant_id: str
    subject: str
    request_id: str
    trace_id: str
    created_at: datetime
    language: str
    duration_s: float
    asr_id: str
    analysis_id: str | None = None
    rules_version: str | None = None
    recording_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[Degradation, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    tracked: bool = True

    @property
    def status(self) -> CallStatus:
        """Whether something was missing."""
        return CallStatus.DEGRADED if self.degraded else CallStatus.COMPLETE


@dataclass(frozen=True, slots=True)
class CallDocument:
    """A call with what its services have of it; None is missing, and `degraded` says why.

    Attributes:
        call: What the gateway keeps.
        transcript: As the ASR service says it, its segments with their sentiment.
        recording: Length and end of life of the kept recording.
        sentiment: Of the whole call.
        metrics: Of the conversation.
        moments: Coachable ones, the most important first.
        degraded: Of the call, and of this reading.
        variant: Of the model that recognized it, when it was made by this request.
    """

    call: Call
    transcript: Mapping[str, Any] | None = None
    recording: Mapping[str, Any] | None = None
    sentiment: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    moments: list[Mapping[str, Any]] | None = None
    degraded: tuple[Degradation, ...] = ()
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class SpeakingStyle:
    """How advice is spoken, and how the audio is written."""

    language: str = "en"
    gender: str | None = None
    voice: str | None = None
    speed: float | None = None
    audio_format: str = "wav"
    sampling_rate: int | None = None


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What to replay of a call.

    Attributes:
        moment: Number of the moment; 0 is the most important one.
        include_clip: Whether the recording of the moment follows the advice.
        clip_s: Longest clip, in seconds.
        pause_s: Silence between the two.
        style: How the advice is spoken.
    """

    moment: int = 0
    include_clip: bool = False
    clip_s: float = 30.0
    pause_s: float = 0.5
    style: SpeakingStyle = field(default_factory=SpeakingStyle)


@dataclass(frozen=True, slots=True)
class Replay:
    """A coachable moment as audio."""

    content: bytes
    media_type: str
    moment: Mapping[str, Any]
    with_clip: bool
    degraded: tuple[Degradation, ...] = ()
