"""The messages of the native stream."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.tts.models.speech import SpeechOrder, Voice
from services.tts.schemas.speech import Gender, LanguageCode, VoiceName
from services.tts.services.parts import PITCHES, SPEEDS
from shared.streams import StreamRefused, invalid_start


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StartMessage(_Message):
    """What a client asks for; a member that is not listed is refused."""

    type: Literal["start"]
    language: LanguageCode | None = None
    gender: Gender = "female"
    voice: VoiceName | None = None
    speed: Annotated[float, Field(ge=SPEEDS[0], le=SPEEDS[1])] = 1.0
    pitch: Annotated[float, Field(ge=PITCHES[0], le=PITCHES[1])] = 1.0
    format: Annotated[str, Field(max_length=16)] = "pcm"
    sample_rate: int | None = None
    word_times: bool = False
    service_id: str | None = Field(default=None, max_length=128)
    cache: bool = True
    data_tracking: bool = True

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """The checked message.

        Raises:
            StreamRefused: Names the member that is wrong.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise invalid_start(_first(error)) from None

    def order(self) -> SpeechOrder:
        """The request as the domain knows it, without a text."""
        return SpeechOrder(
            texts=(),
            voice=Voice(self.language or "", self.gender, self.voice, self.speed, self.pitch),
            audio_format=self.format,
            sampling_rate=self.sample_rate,
            service_id=self.service_id,
            markup=False,
            word_times=self.word_times,
            kept=self.data_tracking,
            cached=self.cache and self.data_tracking,
            live=True,
        )


class SocketIoQuery(BaseModel):
    """What a Socket.IO client asks for in its query; fields that it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    service_id: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, alias="serviceId"
    )
    language: LanguageCode | None = None
    voice_id: VoiceName | None = None
    gender: Gender = "female"
    sampling_rate: int | None = Field(default=None, alias="samplingRate")
    audio_format: Annotated[str, Field(max_length=16)] = Field(default="wav", alias="audioFormat")

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """The checked query.

        Raises:
            StreamRefused: Names the field that is wrong.
        """
        try:
            return cls.model_validate({name: value for name, value in query.items() if value})
        except ValidationError as error:
            raise invalid_start(_first(error)) from None

    def order(self) -> SpeechOrder:
        """The request as the domain knows it, without a text."""
        return SpeechOrder(
            texts=(),
            voice=Voice(self.language or "", self.gender, self.voice_id),
            audio_format=self.audio_format,
            sampling_rate=self.sampling_rate,
            service_id=self.service_id,
            markup=False,
            live=True,
        )


class TextMessage(_Message):
    """A piece of the text."""

    type: Literal["text"]
    text: str

    @classmethod
    def read(cls, document: dict[str, Any]) -> str:
        """The piece.

        Raises:
            StreamRefused: Names the member that is wrong.
        """
        try:
            return cls.model_validate(document).text
        except ValidationError as error:
            raise StreamRefused(_first(error), "invalid_message") from None


def _first(error: ValidationError) -> str:
    """What is wrong first, without what was sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    member = ".".join(map(str, first["loc"]))[:64]
    return f"{member}: {first['msg'][:200]}."
