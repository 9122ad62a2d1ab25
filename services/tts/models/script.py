"""What is to be spoken, in order: the meeting point of text and sound."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """Words for the model, in one breath.

    Attributes:
        text: Normalized: what is spoken, not what was written.
        source: What was written there; times are told of it.
        language: ISO 639 code; None for that of the request.
        speed: Factor; 1 is the voice's own.
        pitch: Factor; 1 is the voice's own.
        volume: Factor of the amplitude.
        ends_sentence: Whether a sentence ends here; the pause is then longer.
    """

    text: str
    source: str
    language: str | None = None
    speed: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0
    ends_sentence: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence, in seconds, in place of the usual one."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A name whose time the client is told."""

    name: str


Step = Say | Pause | Mark
Script = tuple[Step, ...]
