"""The form fields of a multipart recognition request."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.asr.models.audio import AsrOptions, TranscriptFormat
from services.asr.schemas.ulca import MAX_ALTERNATIVES, LanguageTag, Names, Rate
from shared.audio.formats import AudioFormat


class TranscribeForm(BaseModel):
    """All fields but the file; a field that is not listed is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: LanguageTag = "en"
    service_id: str | None = Field(default=None, max_length=128)
    audio_format: AudioFormat | None = None
    sampling_rate: Rate | None = None
    vad: bool = Field(default=True, description="false: silence is recognized as well")
    nbest: int = Field(default=0, ge=0, le=MAX_ALTERNATIVES)
    transcription_format: TranscriptFormat = TranscriptFormat.TRANSCRIPT
    post_processors: Names = []
    data_tracking: bool = True

    def options(self) -> AsrOptions:
        """The request as the service takes it."""
        return AsrOptions(
            language=self.language,
            service_id=self.service_id,
            declared_format=self.audio_format,
            sampling_rate=self.sampling_rate,
            detect_speech=self.vad,
            best_tokens=self.nbest,
            post_processors=tuple(self.post_processors),
            store_content=self.data_tracking,
        )


def multipart_docs() -> dict[str, Any]:
    """`openapi_extra` of a route that reads the form itself."""
    schema = TranscribeForm.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["properties"]["file"] = {
        "type": "string",
        "format": "binary",
        "description": "The recording: wav, flac, mp3, ogg, opus, or headerless pcm",
    }
    schema["required"] = [*schema.get("required", []), "file"]
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
