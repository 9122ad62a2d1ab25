"""Who speaks: speakers of one recording, and persistent ones of a tenant. Times in seconds."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Embedding = NDArray[np.float32]
"""A voice: `[256]`, of length 1; the cosine of two says how alike they are."""


@dataclass(frozen=True, slots=True)
class DiarizationOptions:
    """How speakers are told apart.

    Attributes:
        num_speakers: How many there are, if that is known.
        min_speakers: At least so many.
        max_speakers: At most so many.
        threshold: Mean cosine distance up to which two groups of windows are one speaker; None
            is the service's own.
        identify: Whether the tenant's known speakers are looked for.
        optional: The transcript is wanted without speakers where they cannot be told apart.
    """

    num_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    threshold: float | None = None
    identify: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class SpeakerSegment:
    """A stretch of speech of one speaker."""

    start_time: float
    end_time: float
    speaker: str

    @property
    def duration(self) -> float:
        """Its length."""
        return round(self.end_time - self.start_time, 3)


@dataclass(frozen=True, slots=True)
class KnownMatch:
    """A known speaker whom a voice is alike.

    Attributes:
        id: Of the known speaker.
        score: Cosine with the nearest of the speaker's prototypes.
        name: The speaker's name; None where it is not looked up.
    """

    id: str
    score: float
    name: str | None = None


class Identity(StrEnum):
    """What came of the search for a speaker among the known ones."""

    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DiarizedSpeaker:
    """A speaker of one recording.

    Attributes:
        label: `SPEAKER_00`, `SPEAKER_01`, … by first appearance.
        speech_seconds: How long the speaker spoke.
        identity: Whether it is a known speaker; None when that was not asked.
        known: Which known speaker it is.
        candidates: The known speakers it is most alike, best first, whether it is one or not.
    """

    label: str
    speech_seconds: float
    identity: Identity | None = None
    known: KnownMatch | None = None
    candidates: tuple[KnownMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who spoke when.

    Attributes:
        speakers: In order of first appearance.
        segments: In order of time, apart from each other.
        voices: The voice of each speaker.
    """

    speakers: tuple[DiarizedSpeaker, ...] = ()
    segments: tuple[SpeakerSegment, ...] = ()
    voices: tuple[Embedding, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Prototype:
    """A recording whose voice a known speaker is recognized by."""

    id: str
    created_at: datetime
    speech_seconds: float


@dataclass(frozen=True, slots=True)
class KnownSpeaker:
    """A person whom a tenant wants recognized, and who has consented."""

    id: str
    name: str
    consent_at: datetime
    created_at: datetime
    updated_at: datetime
    prototypes: tuple[Prototype, ...]


@dataclass(frozen=True, slots=True)
class SpeakerPage:
    """A page of known speakers; `next` begins the following one."""

    items: tuple[KnownSpeaker, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class KnownVoices:
    """The voices of known speakers, a row for each prototype.

    Attributes:
        ids: The speaker of each row.
        names: The name of that speaker.
        vectors: `[n, d]`, each of length 1.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    vectors: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SpeakerLimits:
    """How many known speakers a tenant may have, and prototypes each of them."""

    speakers: int = 1000
    prototypes: int = 20


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A known speaker with a new prototype.

    Attributes:
        speaker: The speaker.
        similarity: Cosine of the new prototype with the nearest of the others; None for the first.
    """

    speaker: KnownSpeaker
    similarity: float | None = None
