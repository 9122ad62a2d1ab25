"""The ULCA body of a recognition request (https://github.com/ULCA-IN/ulca), as Dhruva sends it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from services.asr.models.audio import AsrOptions, ChannelMode, TranscriptFormat
from services.asr.schemas.diarization_config import DiarizationConfig
from shared.audio.formats import ALIASES, G711, AudioFormat

MAX_ITEMS = 16
MAX_ALTERNATIVES = 10
LanguageTag = Annotated[str, Field(min_length=2, max_length=35, examples=["en"])]
Rate = Annotated[int, Field(ge=1, le=768_000, description="Hz; needed for pcm")]
Names = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=8)]


def declared(audio_format: AudioFormat | None, encoding: str | None) -> AudioFormat | None:
    """The client's word for the format: its encoding where that names a headerless one."""
    encoded = ALIASES.get((encoding or "").lower())
    return encoded if encoded in G711 else audio_format


Reference = Annotated[
    str, Field(max_length=50_000, description="What is spoken: the answer says how far it is met")
]
Phrases = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]],
    Field(max_length=100, description="Names and terms that are likely to be spoken"),
]


class Ulca(BaseModel):
    """Camel-case members; unknown ones are ignored, as other ULCA servers do."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class AudioItem(Ulca):
    """One recording: its content, or where it is."""

    audio_content: str | None = Field(default=None, description="The file, in base64")
    audio_uri: str | None = Field(default=None, max_length=2048, description="https URL of a file")
    reference: Reference = ""

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """Exactly one of the members says what to recognize."""
        if (self.audio_content is None) == (self.audio_uri is None):
            raise ValueError("give either audioContent or audioUri")
        return self


class Language(Ulca):
    """The language that is spoken."""

    source_language: LanguageTag
    source_script_code: str | None = Field(default=None, max_length=8)


class TranscriptionFormat(Ulca):
    """How `source` is written."""

    value: TranscriptFormat = TranscriptFormat.TRANSCRIPT


class AsrConfig(Ulca):
    """What to do with the audio."""

    language: Language
    service_id: str | None = Field(default=None, max_length=128)
    audio_format: AudioFormat | None = Field(
        default=None,
        description="A hint; only headerless audio (pcm, mulaw, alaw), which shows nothing of "
        "itself, depends on it",
    )
    encoding: str | None = Field(
        default=None, max_length=32, description="mulaw or alaw, of headerless telephone audio"
    )
    sampling_rate: Rate | None = None
    channels: ChannelMode = Field(
        default=ChannelMode.MIX, description="separate: each channel is a speaker of its own"
    )
    pre_processors: Names = []
    post_processors: Names = []
    transcription_format: TranscriptionFormat | TranscriptFormat = TranscriptFormat.TRANSCRIPT
    best_token_count: int = Field(default=0, ge=0, le=MAX_ALTERNATIVES)
    boost: Phrases = []
    diarization: DiarizationConfig | None = Field(
        default=None, description="Present, even empty: speakers are told apart"
    )

    @property
    def written_as(self) -> TranscriptFormat:
        """The format, whichever way it was given."""
        wanted = self.transcription_format
        return wanted.value if isinstance(wanted, TranscriptionFormat) else wanted


class ControlConfig(Ulca):
    """What may be kept."""

    data_tracking: bool = Field(
        default=True, description="false: the transcript is not stored, only that there was one"
    )


class AsrInferenceBody(Ulca):
    """A recognition request."""

    audio: list[AudioItem] = Field(min_length=1, max_length=MAX_ITEMS)
    config: AsrConfig
    control_config: ControlConfig = ControlConfig()

    def options(self) -> AsrOptions:
        """The request as the service takes it."""
        config = self.config
        return AsrOptions(
            language=config.language.source_language,
            service_id=config.service_id,
            declared_format=declared(config.audio_format, config.encoding),
            sampling_rate=config.sampling_rate,
            channels=config.channels,
            best_tokens=config.best_token_count,
            pre_processors=tuple(config.pre_processors),
            post_processors=tuple(config.post_processors),
            store_content=self.control_config.data_tracking,
            reference=tuple(item.reference for item in self.audio)
            if any(item.reference for item in self.audio)
            else (),
            boost=tuple(config.boost),
            diarization=None if config.diarization is None else config.diarization.diarization(),
        )
