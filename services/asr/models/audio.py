"""Pieces of audio."""

from dataclasses import dataclass
from enum import StrEnum

from services.asr.models.speakers import DiarizationOptions
from shared.audio.formats import AudioFormat
from shared.audio.scratch import ScratchFile

SAMPLE_RATE = 16_000
"""Rate of all audio behind the decoder, in Hz."""


def seconds(samples: int) -> float:
    """Length of samples at `SAMPLE_RATE`, to a millisecond."""
    return round(samples / SAMPLE_RATE, 3)


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
    """Audio as a client gave it: a file, its content, or where to fetch it.

    A file is closed when it has been read; who made it closes it where it never comes to that.
    """

    content: bytes | None = None
    uri: str | None = None
    file: ScratchFile | None = None


class ChannelMode(StrEnum):
    """What is made of several channels: their average, or a speaker of each."""

    MIX = "mix"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True)
class VadOptions:
    """How speech is told from silence; None leaves the model's own value.

    Attributes:
        threshold: Probability above which a frame is speech.
        min_silence_ms: Silence that ends a stretch of speech.
        speech_pad_ms: Kept on both sides of it.
        min_speech_ms: Shortest stretch.
    """

    threshold: float | None = None
    min_silence_ms: int | None = None
    speech_pad_ms: int | None = None
    min_speech_ms: int | None = None


class TranscriptFormat(StrEnum):
    """How `source` of an answer is written; the text itself for the JSON formats."""

    TRANSCRIPT = "transcript"
    TXT = "txt"
    JSON = "json"
    VERBOSE = "verbose"
    VERBOSE_JSON = "verbose_json"
    SRT = "srt"
    WEBVTT = "webvtt"
    VTT = "vtt"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class AsrOptions:
    """What a client asks for.

    Attributes:
        service_id: Which model; None is the default one.
        language: Language tag of the speech.
        declared_format: The client's word for the audio's format.
        sampling_rate: Rate of headerless PCM, in Hz.
        detect_speech: Whether silence is found and left out.
        channels: What is made of several channels.
        best_tokens: Readings of each word; 0 for none.
        pre_processors: Names of what runs before recognition.
        post_processors: Names of what runs after it.
        store_content: Whether the transcript may be stored.
        reference: What is spoken in each recording, empty where unknown; () compares none.
        boost: Phrases that are likely to be spoken.
        diarization: How speakers are told apart; None does not.
    """

    language: str
    service_id: str | None = None
    declared_format: AudioFormat | None = None
    sampling_rate: int | None = None
    detect_speech: bool = True
    channels: ChannelMode = ChannelMode.MIX
    best_tokens: int = 0
    pre_processors: tuple[str, ...] = ()
    post_processors: tuple[str, ...] = ()
    store_content: bool = True
    reference: tuple[str, ...] = ()
    boost: tuple[str, ...] = ()
    diarization: DiarizationOptions | None = None
