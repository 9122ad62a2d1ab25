"""The forms of OpenAI's audio API (https://platform.openai.com/docs/api-reference/audio)."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.asr.exceptions import unsupported_parameter
from services.asr.models.audio import AsrOptions, TranscriptFormat
from services.asr.models.speakers import DiarizationOptions
from services.asr.schemas.ulca import LanguageTag, Phrases

_MAX_PROMPT = 16_384
_Text = Annotated[str, Field(max_length=_MAX_PROMPT)]
_Short = Annotated[str, Field(min_length=1, max_length=256)]


class ResponseFormat(StrEnum):
    """How a transcript is answered."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VERBOSE_JSON = "verbose_json"
    VTT = "vtt"
    DIARIZED_JSON = "diarized_json"


RENDERED = {
    ResponseFormat.TEXT: TranscriptFormat.TXT,
    ResponseFormat.SRT: TranscriptFormat.SRT,
    ResponseFormat.VTT: TranscriptFormat.VTT,
}
"""The formats that are no JSON."""
_STREAMED = {ResponseFormat.JSON, ResponseFormat.TEXT, ResponseFormat.DIARIZED_JSON}


class ServerVad(BaseModel):
    """How the client would cut the audio; it is cut at silence in any case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["server_vad"]
    prefix_padding_ms: int = Field(default=300, ge=0, le=60_000)
    silence_duration_ms: int = Field(default=200, ge=0, le=60_000)
    threshold: float = Field(default=0.5, ge=0, le=1)


class TranslationForm(BaseModel):
    """All fields of a translation but the file; a field that is not listed is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: _Short
    language: LanguageTag | None = Field(
        default=None, description="Of the speech; the installation's default language when absent"
    )
    prompt: _Text = Field(default="", description="Accepted; the embedded engine has no use for it")
    response_format: ResponseFormat = ResponseFormat.JSON
    temperature: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def without_empty(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """Clients send fields that they leave open as empty texts."""
        return {name: value for name, value in fields.items() if value != ""}

    @model_validator(mode="after")
    def fits(self) -> Self:
        """A translation names no speakers."""
        if type(self) is TranslationForm and self.response_format is ResponseFormat.DIARIZED_JSON:
            raise unsupported_parameter(
                "response_format", "Use one of json, text, srt, verbose_json, vtt."
            )
        return self

    def options(self, service_id: str | None, default_language: str) -> AsrOptions:
        """The request as the service takes it."""
        return AsrOptions(self.language or default_language, service_id=service_id)


class TranscriptionForm(TranslationForm):
    """All fields of a transcription but the file; names are given without their `[]`."""

    stream: bool = False
    timestamp_granularities: list[Literal["word", "segment"]] = Field(default=[], max_length=2)
    include: list[Literal["logprobs"]] = Field(default=[], max_length=1)
    chunking_strategy: Literal["auto"] | ServerVad | None = None
    known_speaker_names: list[_Short] = Field(default=[], max_length=4)
    known_speaker_references: list[str] = Field(default=[], max_length=4)
    keywords: Phrases = []
    languages: list[LanguageTag] = Field(default=[], max_length=16)

    @model_validator(mode="after")
    def goes_together(self) -> Self:
        """Fields that have a meaning with some formats only."""
        wanted = self.response_format
        if self.timestamp_granularities and wanted is not ResponseFormat.VERBOSE_JSON:
            raise unsupported_parameter(
                "timestamp_granularities", "This needs response_format verbose_json."
            )
        if self.include and wanted is not ResponseFormat.JSON:
            raise unsupported_parameter("include", "This needs response_format json.")
        if self.stream and wanted not in _STREAMED:
            raise unsupported_parameter(
                "stream", "This needs response_format json, text or diarized_json."
            )
        if self.known_speaker_names or self.known_speaker_references:
            raise unsupported_parameter(
                "known_speaker_names", "Speakers are not recognized by recordings in the request."
            )
        return self

    @property
    def diarized(self) -> bool:
        """Whether speakers are told apart."""
        return self.response_format is ResponseFormat.DIARIZED_JSON

    @property
    def granularities(self) -> frozenset[str]:
        """What has times in a verbose answer."""
        return frozenset(self.timestamp_granularities or ["segment"])

    def options(self, service_id: str | None, default_language: str) -> AsrOptions:
        """The request as the service takes it."""
        language = self.language or next(iter(self.languages), default_language)
        return AsrOptions(
            language,
            service_id=service_id,
            boost=tuple(self.keywords),
            diarization=DiarizationOptions() if self.diarized else None,
        )


def form_docs(form: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads a form itself."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    properties = schema["properties"]
    for name in [name for name, one in properties.items() if one.get("type") == "array"]:
        properties[f"{name}[]"] = properties.pop(name)
    properties["file"] = {
        "type": "string",
        "format": "binary",
        "description": "The recording, in any format that is read here",
    }
    schema["required"] = ["file", *schema.get("required", [])]
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
