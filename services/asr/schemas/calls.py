"""Wire models of recorded calls, as the gateway sends and reads them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.asr.models.audio import SAMPLE_RATE, AsrOptions, ChannelMode
from services.asr.models.calls import CallTranscript, KeptRecording
from services.asr.models.speakers import DiarizationOptions
from services.asr.schemas.answer import SegmentOut, WordOut
from services.asr.schemas.diarization_config import SpeakerCount, check_counts
from services.asr.schemas.speakers import Name, SpeakerOut
from services.asr.schemas.ulca import LanguageTag, Names, Phrases, Rate, declared
from shared.audio.formats import AudioFormat

_DIGITS = 3
Channel = Annotated[int, Field(ge=0, le=7)]
Role = Literal["agent", "customer"]


def _absent_if_empty(value: object) -> object:
    return None if value == "" else value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_printable),
]
ExternalId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
    AfterValidator(_printable),
]
# A form sends what nobody filled in as an empty text.
_Empty = BeforeValidator(_absent_if_empty)


class CallMetadata(BaseModel):
    """What the sender says of a call; given back with every answer about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[Title | None, _Empty] = None
    external_id: Annotated[ExternalId | None, _Empty] = Field(
        default=None, description="The call's id in another system"
    )
    agent_name: Annotated[Name | None, _Empty] = None
    customer_name: Annotated[Name | None, _Empty] = None
    agent_channel: Annotated[Channel | None, _Empty] = Field(
        default=None, description="Of separate channels, the agent's; the first one is 0"
    )
    first_speaker: Annotated[Role | None, _Empty] = Field(
        default=None, description="Who of both is heard first"
    )


_METADATA = frozenset(CallMetadata.model_fields)


class CallFields(CallMetadata):
    """All fields but the recording; one that is not listed is refused."""

    language: LanguageTag = "en"
    service_id: str | None = Field(default=None, max_length=128)
    audio_format: AudioFormat | None = None
    encoding: str | None = Field(
        default=None, max_length=32, description="mulaw or alaw, of headerless telephone audio"
    )
    sampling_rate: Rate | None = None
    channels: ChannelMode = Field(
        default=ChannelMode.MIX, description="separate: each channel is a speaker of its own"
    )
    num_speakers: SpeakerCount | None = None
    min_speakers: SpeakerCount | None = None
    max_speakers: SpeakerCount | None = None
    post_processors: Names = []
    boost: Phrases = []
    words: bool = Field(default=False, description="Tell every word with its times")
    keep_recording: bool = Field(
        default=True, description="Keep the recording, encrypted, for a while: for replays"
    )
    data_tracking: bool = Field(
        default=True, description="false: neither transcript nor recording is stored"
    )

    @model_validator(mode="after")
    def fields_agree(self) -> Self:
        """Nothing that is said of the speakers contradicts the rest."""
        counts = (self.num_speakers, self.min_speakers, self.max_speakers)
        check_counts(*counts)
        separate = self.channels is ChannelMode.SEPARATE
        if separate and any(count is not None for count in counts):
            raise ValueError("separate channels are the speakers; leave their number out")
        if self.agent_channel is not None and not separate:
            raise ValueError("agent_channel needs channels=separate")
        if self.agent_channel is not None and self.first_speaker is not None:
            raise ValueError("give either agent_channel or first_speaker")
        return self

    @property
    def keeps(self) -> bool:
        """Whether the recording may be kept."""
        return self.keep_recording and self.data_tracking

    def options(self) -> AsrOptions:
        """How the call is recognized."""
        separate = self.channels is ChannelMode.SEPARATE
        return AsrOptions(
            language=self.language,
            service_id=self.service_id,
            declared_format=declared(self.audio_format, self.encoding),
            sampling_rate=self.sampling_rate,
            channels=self.channels,
            post_processors=tuple(self.post_processors),
            store_content=self.data_tracking,
            boost=tuple(self.boost),
            diarization=None
            if separate
            else DiarizationOptions(
                self.num_speakers, self.min_speakers, self.max_speakers, optional=True
            ),
        )

    def metadata(self) -> CallMetadata:
        """What is given back."""
        return CallMetadata.model_validate(self.model_dump(include=set(_METADATA)))


class CallBody(CallFields):
    """The fields, and the recording in base64 or by its address."""

    audio_content: str | None = Field(
        default=None, alias="audioContent", description="The file, in base64"
    )
    audio_uri: str | None = Field(
        default=None, alias="audioUri", max_length=2048, description="https URL of a file"
    )

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """Exactly one of the members says what to recognize."""
        if (self.audio_content is None) == (self.audio_uri is None):
            raise ValueError("give either audioContent or audioUri")
        return self


class DegradedOut(BaseModel):
    """A step that the answer does without."""

    model_config = ConfigDict(from_attributes=True)

    step: str
    reason: str


class RecordingOut(BaseModel):
    """A kept recording."""

    seconds: float
    expires_at: datetime

    @classmethod
    def of(cls, kept: KeptRecording) -> Self:
        """From the domain."""
        return cls(seconds=round(kept.samples / SAMPLE_RATE, _DIGITS), expires_at=kept.expires_at)


class CallTranscriptOut(BaseModel):
    """What was said; segments are cut where the speaker changes."""

    text: str
    confidence: float
    duration: float
    segments: list[SegmentOut]
    words: list[WordOut] | None
    speakers: list[SpeakerOut] | None


class CallAnswer(BaseModel):
    """A recognized call."""

    id: str
    language: str
    transcript: CallTranscriptOut | None
    recording: RecordingOut | None
    degraded: list[DegradedOut]
    audio_seconds: float
    metadata: CallMetadata | None = None
    data_tracking: bool = True
    timings: dict[str, float] | None = None

    @classmethod
    def of(cls, call: CallTranscript, *, words: bool, fields: CallFields | None = None) -> Self:
        """From the domain.

        Args:
            call: What was recognized.
            words: Whether every word is told.
            fields: Of the request; None when it is a past one.
        """
        found = call.transcript
        transcript = None
        if found is not None:
            transcript = CallTranscriptOut(
                text=found.text,
                confidence=found.confidence,
                duration=found.duration,
                segments=[SegmentOut.model_validate(one) for one in found.utterances],
                words=[WordOut.model_validate(word) for word in found.words] if words else None,
                speakers=None
                if found.speakers is None
                else [SpeakerOut.of(one) for one in found.speakers],
            )
        return cls(
            id=call.id,
            language=call.language,
            transcript=transcript,
            recording=None if call.recording is None else RecordingOut.of(call.recording),
            degraded=[DegradedOut.model_validate(one) for one in call.degraded],
            audio_seconds=call.audio_seconds,
            metadata=None if fields is None else fields.metadata(),
            data_tracking=fields is None or fields.data_tracking,
            timings=call.timings,
        )
