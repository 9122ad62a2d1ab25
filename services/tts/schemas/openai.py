"""The body of OpenAI's speech endpoint (https://platform.openai.com/docs/api-reference/audio)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

from services.tts.models.speech import SpeechOrder, Voice
from services.tts.schemas.speech import LanguageCode, VoiceName
from services.tts.services.openai_names import OpenAiNames
from services.tts.services.parts import SPEEDS
from shared.problem import InvalidField

MAX_INPUT = 4096
_RATE = 24_000
"""Of all of OpenAI's audio: its clients take bare samples for such."""


class InputTooLong(InvalidField):
    """More text than OpenAI's endpoint takes."""

    default_code = "string_above_max_length"

    def __init__(self) -> None:
        super().__init__(f"At most {MAX_INPUT} characters are spoken.", pointer="/input")


def _name_of_voice(value: Any) -> Any:
    """The id of an object that has nothing else."""
    return value["id"] if isinstance(value, dict) and set(value) == {"id"} else value


class SpeechBody(BaseModel):
    """Body of `POST /v1/audio/speech`; members that it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: Annotated[StrictStr, Field(max_length=128)]
    input: Annotated[StrictStr, Field(description=f"At most {MAX_INPUT} characters")]
    voice: Annotated[
        VoiceName,
        BeforeValidator(_name_of_voice),
        Field(description='A name, or `{"id": …}`: one of OpenAI\'s, or the id of a listed voice'),
    ]
    instructions: Annotated[StrictStr, Field(max_length=4096)] | None = Field(
        default=None, description="Ignored, which the answer's header x-speech-ignored says"
    )
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = Field(
        default=1.0,
        ge=0.25,
        le=4.0,
        strict=True,
        description=f"Below {SPEEDS[0]} and above {SPEEDS[1]} the nearest of these is spoken, and "
        "the header x-speech-speed says so",
    )
    stream_format: Literal["audio", "sse"] = "audio"
    language: LanguageCode | None = Field(
        default=None, description="Not of OpenAI's: that of the voice, or the default, when absent"
    )

    @property
    def spoken_speed(self) -> float:
        """The wanted speed, or the nearest that is spoken."""
        return min(max(self.speed, SPEEDS[0]), SPEEDS[1])

    def order(self, names: OpenAiNames) -> SpeechOrder:
        """The request as the domain knows it.

        Raises:
            InputTooLong: There is too much text.
            UnknownModel: No model goes by the name.
        """
        if len(self.input) > MAX_INPUT:
            raise InputTooLong
        gender, name = names.voice(self.voice)
        return SpeechOrder(
            texts=(self.input,),
            voice=Voice(self.language or "", gender, name, self.spoken_speed),
            audio_format=self.response_format,
            sampling_rate=_RATE,
            service_id=names.service_id(self.model),
            markup=False,
            live=self.stream_format == "sse",
        )
