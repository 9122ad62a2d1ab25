"""A request as it is stored."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.asr.models.transcript import Transcript
from shared.caller import Caller


class Status(StrEnum):
    """How a request ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class AsrRequest:
    """The row of a request; it holds no content.

    Attributes:
        id: Given to the client.
        caller: Who sent it.
        created_at: When it arrived.
        model: Triton model name.
        language: Language that was asked for.
        status: How it ended.
        error_code: Code of the error that ended it, if one did.
        audio_seconds: Length of all audio items that were decoded.
        segments: Segments sent to the model.
        latency_ms: From arrival to the end of the recognition.
    """

    id: str
    caller: Caller
    created_at: datetime
    model: str
    language: str
    status: Status
    error_code: str | None
    audio_seconds: float
    segments: int
    latency_ms: float


@dataclass(frozen=True, slots=True)
class StoredTranscripts:
    """A request with its transcripts, one for each audio item that was stored."""

    request: AsrRequest
    transcripts: tuple[Transcript, ...]
