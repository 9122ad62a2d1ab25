"""The answer of `GET /api/v1/tts/voices`."""

from collections.abc import Sequence

from pydantic import Field

from services.tts.models.voices import ServedVoice
from services.tts.schemas.speech import Gender
from shared.audio.encode import OutputFormat, available_formats
from shared.wire import AnswerModel


class VoiceEntry(AnswerModel):
    """One voice of one model in one language."""

    id: str = Field(description="What a request names it by, with its serviceId")
    name: str
    language: str
    gender: Gender | None = Field(description="Null where the model does not say")
    service_id: str
    sampling_rate: int = Field(description="Of its own audio, in Hz")


class VoicesAnswer(AnswerModel):
    """Answer of `GET /api/v1/tts/voices`."""

    voices: list[VoiceEntry]
    audio_formats: tuple[OutputFormat, ...]

    @classmethod
    def of(cls, served: Sequence[ServedVoice]) -> "VoicesAnswer":
        """The answer for the voices that are served."""
        return cls(
            voices=[
                VoiceEntry(
                    id=one.voice.id,
                    name=one.voice.name,
                    language=one.voice.language,
                    gender=_gender(one.voice.gender),
                    service_id=one.service_id,
                    sampling_rate=one.sampling_rate,
                )
                for one in served
            ],
            audio_formats=available_formats(),
        )


def _gender(name: str) -> Gender | None:
    known: dict[str, Gender] = {"male": "male", "female": "female"}
    return known.get(name)
