"""What is asked of the service and what it makes."""

from dataclasses import dataclass
from datetime import datetime

from services.tts.models.sound import TimedMark, TimedWord
from shared.audio.encode import OutputFormat


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks.

    Attributes:
        language: ISO 639 code; empty in an order for that of the named voice.
        gender: `male` or `female`.
        name: A voice of the engine's own, in place of the gender's.
        speed: 1 is the voice's own speed.
        pitch: 1 is the voice's own pitch.
    """

    language: str
    gender: str
    name: str | None = None
    speed: float = 1.0
    pitch: float = 1.0


@dataclass(frozen=True, slots=True)
class SpeechOrder:
    """A request for speech as a client wrote it, of the right types and nothing more.

    Attributes:
        texts: One audio each, in this order.
        voice: Who speaks them.
        audio_format: Name of a format.
        sampling_rate: In Hz; None for the best the format holds of the model's own.
        service_id: Which model.
        durations: Seconds that each audio should last; None for as long as it takes.
        markup: Whether the texts are SSML; None for those that begin like it.
        word_times: Whether the times of words are wanted.
        kept: Whether texts and sounds may outlive the request.
        cached: Whether sounds may come from memory and stay there.
        live: Whether somebody listens to a stream while it is made, rather than keeping a file.
    """

    texts: tuple[str, ...]
    voice: Voice
    audio_format: str
    sampling_rate: int | None = None
    service_id: str | None = None
    durations: tuple[float | None, ...] = ()
    markup: bool | None = None
    word_times: bool = False
    kept: bool = True
    cached: bool = True
    live: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """How audio is to be written."""

    audio_format: OutputFormat
    sampling_rate: int


@dataclass(frozen=True, slots=True)
class SpokenItem:
    """The audio of one text.

    Attributes:
        text: As it was spoken.
        content: The encoded audio in base64.
        duration_s: Seconds.
        size: Bytes of the encoded audio.
        sha256: Of the encoded audio, hexadecimal.
        marks: When the marks of the text are passed.
        words: When its words are heard, where that was asked for.
    """

    text: str
    content: str
    duration_s: float
    size: int
    sha256: str
    marks: tuple[TimedMark, ...] = ()
    words: tuple[TimedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Speech:
    """A finished request.

    Attributes:
        id: Of the stored request.
        items: In the order of the texts.
        voice: That spoke.
        output: How the audio was written.
        characters: Spoken.
        timings_ms: Duration of each step.
        used: Which model answered, see `shared.serving`.
    """

    id: str
    items: tuple[SpokenItem, ...]
    voice: Voice
    output: Output
    characters: int
    timings_ms: dict[str, float]
    used: str


@dataclass(frozen=True, slots=True)
class SpeechRecord:
    """What is kept of every request that reached the engine.

    Attributes:
        duration_s: Of all audio; None when the request failed.
        error_code: Of a failed request.
    """

    id: str
    created_at: datetime
    model: str
    voice: Voice
    output: Output
    item_count: int
    characters: int
    latency_ms: float
    duration_s: float | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What is kept of one audio; the audio itself is not."""

    text: str
    duration_s: float
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredSpeech:
    """A stored request as its tenant may read it."""

    record: SpeechRecord
    request_id: str
    items: tuple[StoredItem, ...]
