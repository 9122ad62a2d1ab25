"""What an SSML document says, one after the other."""

from dataclasses import dataclass, replace

from services.tts.services.ssml_values import (
    MAX_FACTOR,
    MAX_PITCH,
    MAX_VOLUME,
    MIN_FACTOR,
    MIN_PITCH,
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a stretch is spoken; see `services.tts.models.script.Say`."""

    language: str | None = None
    speed: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str
    manner: Manner


@dataclass(frozen=True, slots=True)
class Substitute:
    """What is spoken in place of something, itself plain text."""

    source: str
    alias: str
    manner: Manner


@dataclass(frozen=True, slots=True)
class SayAs:
    """Text whose kind is told."""

    text: str
    interpret_as: str
    form: str
    manner: Manner


@dataclass(frozen=True, slots=True)
class Break:
    """Silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place with a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """Sentences end here."""


Event = Text | Substitute | SayAs | Break | Bookmark | Boundary


def scaled(manner: Manner, speed: float, pitch: float, volume: float) -> Manner:
    """The manner changed by factors; what is nested too deep stays at the bound."""
    return replace(
        manner,
        speed=round(min(max(manner.speed * speed, MIN_FACTOR), MAX_FACTOR), 4),
        pitch=round(min(max(manner.pitch * pitch, MIN_PITCH), MAX_PITCH), 4),
        volume=round(min(manner.volume * volume, MAX_VOLUME), 4),
    )
