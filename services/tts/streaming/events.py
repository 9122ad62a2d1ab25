"""What a live request tells its client. Times are in seconds from the start of the audio."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from services.tts.models.sound import TimedMark, TimedWord


@dataclass(frozen=True, slots=True)
class Event:
    """A message to the client."""

    type: ClassVar[str]

    def document(self) -> dict[str, Any]:
        """The message as JSON."""
        return {"type": self.type, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """Text may come.

    Attributes:
        id: Finds what is stored, at `/api/v1/tts/requests/{id}`.
        model: Which one speaks.
        language: Of the voice.
        voice: Its name; None where the gender says it all.
        gender: Of the voice.
        format: Of the audio.
        sample_rate: In Hz.
        media_type: Of the audio, as HTTP would call it.
    """

    type: ClassVar[str] = "ready"
    id: str
    model: str
    language: str
    voice: str | None
    gender: str
    format: str
    sample_rate: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Audio(Event):
    """More of the file; a file of its own, where each passage has one.

    Attributes:
        content: Bytes.
        seconds: Of the file of its own.
        final: Whether nothing more comes of the text before a flush.
        marks: Passed in it.
        words: Heard in it.
    """

    type: ClassVar[str] = "audio"
    content: bytes
    seconds: float = 0.0
    final: bool = False
    marks: tuple[TimedMark, ...] = ()
    words: tuple[TimedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Flushed(Event):
    """All text that came before a flush is spoken.

    Attributes:
        characters: Spoken so far.
        duration: Seconds of audio so far.
    """

    type: ClassVar[str] = "flushed"
    characters: int
    duration: float


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The stream ends; the connection closes after this."""

    type: ClassVar[str] = "error"
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Done(Event):
    """All text is spoken, and the request is stored.

    Attributes:
        id: As in `Ready`.
        duration: Seconds of audio.
        usage: `characters` that were spoken.
    """

    type: ClassVar[str] = "done"
    id: str
    duration: float
    usage: dict[str, int]
