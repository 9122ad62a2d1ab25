"""Recorded calls: what is kept of them, and what may be missing. Times in seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.asr.models.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Degradation:
    """A step that the answer does without, and the code of what went wrong."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """The recording of a call, encrypted; its id is the request's.

    Attributes:
        samples: Length, at 16 kHz.
        size: Bytes, encrypted.
        expires_at: When it is deleted.
    """

    id: str
    samples: int
    size: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class KeepingRules:
    """How long recordings are kept, and how much of them.

    Attributes:
        life: None keeps no recording.
        tenant_bytes: Of one tenant; beyond it, the oldest go.
    """

    life: timedelta | None
    tenant_bytes: int


@dataclass(frozen=True, slots=True)
class CallTranscript:
    """A recognized call.

    Attributes:
        id: Of the stored request.
        transcript: With speakers, unless `degraded` says that they are missing.
        used: Which model answered, see `shared.serving`.
        timings: Milliseconds by stage; empty when read from the database.
    """

    id: str
    language: str
    transcript: Transcript | None
    audio_seconds: float
    recording: KeptRecording | None
    degraded: tuple[Degradation, ...] = ()
    used: str = ""
    timings: dict[str, float] | None = None
