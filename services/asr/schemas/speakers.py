"""Wire models of known speakers, and of diarization by itself."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.asr.models.audio import AsrOptions
from services.asr.models.speakers import (
    Diarization,
    DiarizedSpeaker,
    Enrolled,
    Identity,
    KnownSpeaker,
    SpeakerPage,
)
from services.asr.schemas.diarization_config import DiarizationConfig
from services.asr.schemas.ulca import AudioItem, Language, Rate, Ulca, declared
from shared.audio.formats import AudioFormat

_MAX_IDS = 100


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_printable),
]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class _Given(BaseModel):
    """A request; a member that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RecordingForm(_Given):
    """What a form says of its file."""

    audio_format: AudioFormat | None = None
    encoding: str | None = Field(default=None, max_length=32)
    sampling_rate: Rate | None = None

    def reading(self) -> AsrOptions:
        """How the recording is read."""
        return AsrOptions(
            "",
            declared_format=declared(self.audio_format, self.encoding),
            sampling_rate=self.sampling_rate,
        )


class NewSpeakerForm(RecordingForm):
    """A new speaker; the file is a recording of at least 3 s of that one's speech."""

    name: Name
    consent: bool = Field(
        default=False, description="true: the person agrees that the voice is stored"
    )


class IdentifyForm(DiarizationConfig, RecordingForm):
    """A recording whose speakers are looked for among the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=None)


class RenameBody(_Given):
    """What can change."""

    name: Name


class MergeBody(_Given):
    """Whose prototypes the speaker takes."""

    other: Id = Field(alias="from")


class SplitBody(_Given):
    """Which prototypes are another person's, and that one's name."""

    prototypes: list[Id] = Field(min_length=1, max_length=_MAX_IDS)
    name: Name


class DiarizationBodyConfig(DiarizationConfig):
    """How speakers are told apart, and how the recording is read."""

    service_id: str | None = Field(default=None, max_length=128)
    language: Language | None = Field(default=None, description="Of no consequence")
    audio_format: AudioFormat | None = None
    encoding: str | None = Field(default=None, max_length=32)
    sampling_rate: Rate | None = None

    def reading(self) -> AsrOptions:
        """How the recording is read."""
        return AsrOptions(
            "",
            declared_format=declared(self.audio_format, self.encoding),
            sampling_rate=self.sampling_rate,
        )


class DiarizationBody(Ulca):
    """A recording whose speakers are told apart."""

    audio: list[AudioItem] = Field(min_length=1, max_length=1)
    config: DiarizationBodyConfig = DiarizationBodyConfig()


class MatchOut(BaseModel):
    """A known speaker, and how alike the voices are (cosine)."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str | None = None
    score: float


class SpeakerOut(BaseModel):
    """A speaker of a recording; `identity` only where known speakers were looked for."""

    speaker: str
    speech_seconds: float
    identity: Identity | None = None
    known: MatchOut | None = None

    @classmethod
    def of(cls, found: DiarizedSpeaker) -> Self:
        """From the domain."""
        return cls(
            speaker=found.label,
            speech_seconds=found.speech_seconds,
            identity=found.identity,
            known=None if found.known is None else MatchOut.model_validate(found.known),
        )


class IdentifiedOut(BaseModel):
    """A speaker of a recording beside the known ones; `match` is null for an unknown one."""

    speaker: str
    speech_seconds: float
    match: MatchOut | None
    candidates: list[MatchOut] = Field(description="The most alike, best first, whatever the match")

    @classmethod
    def of(cls, found: DiarizedSpeaker) -> Self:
        """From the domain."""
        return cls(
            speaker=found.label,
            speech_seconds=found.speech_seconds,
            match=None if found.known is None else MatchOut.model_validate(found.known),
            candidates=[MatchOut.model_validate(one) for one in found.candidates],
        )


class SegmentOut(BaseModel):
    """A stretch of speech, in seconds."""

    model_config = ConfigDict(from_attributes=True)

    start_time: float
    end_time: float
    duration: float
    speaker: str


class DiarizationAnswer(BaseModel):
    """Who spoke when."""

    total_segments: int
    num_speakers: int
    speakers: list[str]
    segments: list[SegmentOut]
    identities: list[SpeakerOut] | None = Field(
        default=None, description="Where known speakers were looked for"
    )

    @classmethod
    def of(cls, found: Diarization) -> Self:
        """From the domain."""
        asked = any(one.identity is not None for one in found.speakers)
        return cls(
            total_segments=len(found.segments),
            num_speakers=len(found.speakers),
            speakers=[one.label for one in found.speakers],
            segments=[SegmentOut.model_validate(one) for one in found.segments],
            identities=[SpeakerOut.of(one) for one in found.speakers] if asked else None,
        )


class IdentifyAnswer(BaseModel):
    """The speakers of a recording; `match` is null for one who is unknown."""

    speakers: list[IdentifiedOut]
    segments: list[SegmentOut]

    @classmethod
    def of(cls, found: Diarization) -> Self:
        """From the domain."""
        return cls(
            speakers=[IdentifiedOut.of(one) for one in found.speakers],
            segments=[SegmentOut.model_validate(one) for one in found.segments],
        )


class PrototypeOut(BaseModel):
    """A recording that a speaker is recognized by."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    created_at: datetime
    speech_seconds: float


class KnownSpeakerOut(BaseModel):
    """A known speaker."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    consent_at: datetime
    created_at: datetime
    updated_at: datetime
    prototypes: list[PrototypeOut]

    @classmethod
    def of(cls, found: KnownSpeaker) -> Self:
        """From the domain."""
        return cls.model_validate(found)


class EnrolledOut(KnownSpeakerOut):
    """A speaker with a new prototype."""

    similarity: float | None = Field(
        description="Cosine of the new voice with the nearest of the others"
    )

    @classmethod
    def from_enrolment(cls, found: Enrolled) -> Self:
        """From the domain."""
        known = KnownSpeakerOut.of(found.speaker).model_dump()
        return cls(**known, similarity=found.similarity)


class SpeakerPageOut(BaseModel):
    """A page, newest first; `next` is the cursor of the following one."""

    items: list[KnownSpeakerOut]
    next: str | None

    @classmethod
    def of(cls, found: SpeakerPage) -> Self:
        """From the domain."""
        return cls(items=[KnownSpeakerOut.of(one) for one in found.items], next=found.next)
