"""Pieces of audio."""

from dataclasses import dataclass
from enum import StrEnum

from shared.audio.formats import AudioFormat

SAMPLE_RATE = 16_000
"""Rate of all audio behind the decoder, in Hz."""


@dataclass(frozen=True, slots=True)
class Span:
    """Samples `start` to `end` (exclusive) at `SAMPLE_RATE`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of samples."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class AudioSource:
    """Audio as a client gave it: a file's content, or where to fetch it."""

    content: bytes | None = None
    uri: str | None = None


class TranscriptFormat(StrEnum):
    """How `source` of an answer is written."""

    TRANSCRIPT = "transcript"
    SRT = "srt"
    WEBVTT = "webvtt"


@dataclass(frozen=True, slots=True)
class AsrOptions:
    """What a client asks for.

    Attributes:
        service_id: Which model; None is the default one.
        language: Language tag of the speech.
        declared_format: The client's word for the audio's format.
        sampling_rate: Rate of headerless PCM, in Hz.
        detect_speech: Whether silence is found and left out.
        best_tokens: Readings of each word; 0 for none.
        pre_processors: Names of what runs before recognition.
        post_processors: Names of what runs after it.
        store_content: Whether the transcript may be stored.
    """

    language: str
    service_id: str | None = None
    declared_format: AudioFormat | None = None
    sampling_rate: int | None = None
    detect_speech: bool = True
    best_tokens: int = 0
    pre_processors: tuple[str, ...] = ()
    post_processors: tuple[str, ...] = ()
    store_content: bool = True
