"""Body of `POST /api/v1/speak`: the least that says what to speak and how."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from services.tts.models.speech import SpeechOrder, Voice
from services.tts.schemas.speech import Gender, LanguageCode, VoiceName
from shared.audio.encode import MAX_RATE, MIN_RATE, OutputFormat


class SpeakRequest(BaseModel):
    """A text; a member that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: StrictStr = Field(min_length=1, examples=["Good morning."])
    language: LanguageCode | None = Field(
        default=None, description="That of the voice, or the installation's, when absent"
    )
    gender: Gender = "female"
    voice: VoiceName | None = Field(default=None, description="In place of the gender's")
    format: Annotated[StrictStr, Field(max_length=16)] = Field(
        default="wav", description=f"One of {', '.join(OutputFormat)}"
    )
    speed: float = Field(default=1.0, ge=0.6, le=3.0, strict=True, description="1 is normal")
    sampling_rate: StrictInt | None = Field(
        default=None, description=f"{MIN_RATE} to {MAX_RATE} Hz; the best that is made when absent"
    )

    def order(self) -> SpeechOrder:
        """The request as the domain knows it."""
        return SpeechOrder(
            texts=(self.text,),
            voice=Voice(self.language or "", self.gender, self.voice, self.speed),
            audio_format=self.format,
            sampling_rate=self.sampling_rate,
        )
