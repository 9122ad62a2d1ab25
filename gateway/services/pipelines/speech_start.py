"""The `start` message of a speech-to-speech stream."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.jsonbody import parse_json_object
from shared.problem import BadRequest
from shared.text.languages import primary_language

LanguageTag = Annotated[str, Field(min_length=2, max_length=35, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[str, Field(max_length=128)]
Names = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=8)]
_RECOGNITION = (
    "sample_rate",
    "encoding",
    "interim",
    "interim_ms",
    "endpoint_ms",
    "pre_processors",
    "post_processors",
    "data_tracking",
    "session_id",
    "resume_from",
)


class InvalidStart(BadRequest):
    """The start message is wrong."""

    default_code = "invalid_start"


class SpeechStart(BaseModel):
    """What a client asks for; a member that is not listed is refused.

    Those of recognition are the ones of `/api/v1/asr/stream`, which checks their values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: Literal["start"]
    source_language: LanguageTag
    target_language: LanguageTag
    sample_rate: int = 16_000
    encoding: Name = "pcm_s16le"
    interim: bool = True
    interim_ms: int = 0
    endpoint_ms: int = 704
    pre_processors: Names = []
    post_processors: Names = []
    data_tracking: bool = True
    session_id: Name | None = None
    resume_from: int = 0
    gender: Literal["male", "female"] = "female"
    voice: Annotated[str, Field(max_length=64)] | None = None
    speed: Annotated[float, Field(ge=0.25, le=4)] | None = None
    audio_format: Annotated[str, Field(max_length=16)] = "wav"
    audio_sample_rate: int | None = None
    audio: Literal["binary", "base64"] = "binary"
    asr_service_id: Name | None = None
    translation_service_id: Name | None = None
    tts_service_id: Name | None = None

    @classmethod
    def read(cls, document: dict[str, Any]) -> "SpeechStart":
        """The checked message.

        Raises:
            InvalidStart: Names the member that is wrong.
        """
        try:
            found = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            member = ".".join(map(str, first["loc"]))[:64]
            raise InvalidStart(f"{member}: {first['msg'][:200]}.") from None
        if primary_language(found.source_language) == primary_language(found.target_language):
            raise InvalidStart("target_language: The language is spoken already.")
        return found

    def recognition(self) -> dict[str, Any]:
        """The start message of the recognition."""
        given = {
            name: getattr(self, name) for name in _RECOGNITION if name in self.model_fields_set
        }
        if self.asr_service_id is not None:
            given["service_id"] = self.asr_service_id
        return {"type": "start", "language": self.source_language, **given}

    def translation(self, text: str) -> dict[str, Any]:
        """The body of a request to translate a text."""
        config: dict[str, Any] = {
            "language": {
                "sourceLanguage": self.source_language,
                "targetLanguage": self.target_language,
            }
        }
        return self._body(text, config, self.translation_service_id)

    def speech(self, text: str) -> dict[str, Any]:
        """The body of a request to speak a text."""
        config: dict[str, Any] = {
            "language": {"sourceLanguage": self.target_language},
            "gender": self.gender,
            "audioFormat": self.audio_format,
            "voice": self.voice,
            "speed": self.speed,
            "samplingRate": self.audio_sample_rate,
        }
        given = {member: value for member, value in config.items() if value is not None}
        return self._body(text, given, self.tts_service_id)

    def _body(self, text: str, config: dict[str, Any], service_id: str | None) -> dict[str, Any]:
        if service_id is not None:
            config["serviceId"] = service_id
        return {
            "input": [{"source": text}],
            "config": config,
            "controlConfig": {"dataTracking": self.data_tracking},
        }


def parse_message(message: str) -> dict[str, Any]:
    """The JSON object of a client's message.

    Raises:
        InvalidStart: It is none; the code is `invalid_json`.
    """
    try:
        return parse_json_object(message.encode())
    except BadRequest as error:
        raise InvalidStart(error.detail, code="invalid_json") from error
