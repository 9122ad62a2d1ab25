"""The form fields of a multipart recognition request."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.asr.models.audio import AsrOptions, ChannelMode, TranscriptFormat
from services.asr.models.speakers import DiarizationOptions
from services.asr.schemas.diarization_config import Distance, SpeakerCount, check_counts
from services.asr.schemas.ulca import (
    MAX_ALTERNATIVES,
    LanguageTag,
    Names,
    Phrases,
    Rate,
    Reference,
    declared,
)
from shared.audio.formats import AudioFormat


class TranscribeForm(BaseModel):
    """All fields but the file; a field that is not listed is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: LanguageTag = "en"
    service_id: str | None = Field(default=None, max_length=128)
    audio_format: AudioFormat | None = None
    encoding: str | None = Field(
        default=None, max_length=32, description="mulaw or alaw, of headerless telephone audio"
    )
    sampling_rate: Rate | None = None
    channels: ChannelMode = ChannelMode.MIX
    vad: bool = Field(default=True, description="false: silence is recognized as well")
    nbest: int = Field(default=0, ge=0, le=MAX_ALTERNATIVES)
    transcription_format: TranscriptFormat = TranscriptFormat.TRANSCRIPT
    post_processors: Names = []
    reference: Reference = ""
    boost: Phrases = []
    diarize: bool = Field(default=False, description="Tell speakers apart")
    num_speakers: SpeakerCount | None = None
    min_speakers: SpeakerCount | None = None
    max_speakers: SpeakerCount | None = None
    diarization_threshold: Distance | None = None
    identify_speakers: bool = Field(
        default=False,
        description="Tell speakers apart and look for known ones; needs the scope speakers:read",
    )
    data_tracking: bool = True

    @model_validator(mode="after")
    def counts_agree(self) -> Self:
        """The counts do not contradict each other."""
        check_counts(self.num_speakers, self.min_speakers, self.max_speakers)
        return self

    def diarization(self) -> DiarizationOptions | None:
        """How speakers are told apart; whoever says anything of it wants it."""
        found = DiarizationOptions(
            self.num_speakers,
            self.min_speakers,
            self.max_speakers,
            self.diarization_threshold,
            self.identify_speakers,
        )
        return found if self.diarize or found != DiarizationOptions() else None

    def options(self) -> AsrOptions:
        """The request as the service takes it."""
        return AsrOptions(
            language=self.language,
            service_id=self.service_id,
            declared_format=declared(self.audio_format, self.encoding),
            sampling_rate=self.sampling_rate,
            channels=self.channels,
            detect_speech=self.vad,
            best_tokens=self.nbest,
            post_processors=tuple(self.post_processors),
            store_content=self.data_tracking,
            reference=(self.reference,) if self.reference else (),
            boost=tuple(self.boost),
            diarization=self.diarization(),
        )


def multipart_docs() -> dict[str, Any]:
    """`openapi_extra` of a route that reads the form itself."""
    schema = TranscribeForm.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["properties"]["file"] = {
        "type": "string",
        "format": "binary",
        "description": "The recording: wav, flac, mp3, ogg, opus, headerless pcm, mulaw or alaw; "
        "mp4, m4a, aac and webm where the extra `media` is installed",
    }
    schema["required"] = [*schema.get("required", []), "file"]
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
