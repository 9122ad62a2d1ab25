"""What a session tells its client. Times are in seconds from the start of the session's audio."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from services.asr.models.transcript import Word

_INTERNAL = frozenset({"arrived"})


@dataclass(frozen=True, slots=True)
class Event:
    """A message to the client."""

    type: ClassVar[str]

    def document(self) -> dict[str, Any]:
        """The message as JSON."""
        return {"type": self.type, **asdict(self, dict_factory=_known)}


def _known(members: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: one for name, one in members if one is not None and name not in _INTERNAL}


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """Audio may come.

    Attributes:
        session_id: To resume with.
        id: Finds what is stored, at `/api/v1/asr/requests/{id}`.
        model: Which one answers.
        language: That is recognized.
        interim: Whether partials will come.
        samples: Position of the first sample that is expected.
    """

    type: ClassVar[str] = "ready"
    session_id: str
    id: str
    model: str
    language: str
    interim: bool
    samples: int


@dataclass(frozen=True, slots=True)
class SpeechStarted(Event):
    """Somebody speaks."""

    type: ClassVar[str] = "speech_started"
    start: float


@dataclass(frozen=True, slots=True)
class SpeechEnded(Event):
    """Nobody speaks any more, or the utterance is cut because it is long."""

    type: ClassVar[str] = "speech_ended"
    end: float


@dataclass(frozen=True, slots=True)
class Partial(Event):
    """What is heard so far of an utterance; the next one, or the final, takes its place.

    Attributes:
        text: So far.
        start: Of the utterance; its final comes later, perhaps after partials of the next one.
        end: Up to where it is heard.
        arrived: When the audio up to `end` had come (`time.monotonic`).
    """

    type: ClassVar[str] = "partial"
    text: str
    start: float
    end: float
    arrived: float = 0.0


@dataclass(frozen=True, slots=True)
class Final(Event):
    """An utterance.

    Attributes:
        text: What was said.
        start: Of the first word.
        end: Of the last word.
        words: With times and confidences.
        confidence: Of the whole, 0 to 1.
        samples: Position up to which the audio is settled: a resumed session goes on there.
    """

    type: ClassVar[str] = "final"
    text: str
    start: float
    end: float
    words: tuple[Word, ...]
    confidence: float
    samples: int


@dataclass(frozen=True, slots=True)
class Ack(Event):
    """Audio up to this position is settled and need not be kept."""

    type: ClassVar[str] = "ack"
    samples: int


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The session ends; the connection closes after this."""

    type: ClassVar[str] = "error"
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Done(Event):
    """All audio is settled.

    Attributes:
        duration: Seconds of audio of the whole session.
        usage: `audio_seconds` of this connection: what was settled here.
        id: As in `Ready`.
    """

    type: ClassVar[str] = "done"
    duration: float
    usage: dict[str, float] = field(default_factory=dict)
    id: str = ""
