"""Voice activity detection, in the ULCA body."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.asr.models.audio import SAMPLE_RATE, AsrOptions, Span, VadOptions
from services.asr.schemas.ulca import MAX_ITEMS, AudioItem, Language, Rate, Ulca
from shared.audio.formats import AudioFormat

_DIGITS = 3


class VadConfig(Ulca):
    """How speech is told from silence; what is absent is the model's own value."""

    service_id: str | None = Field(default=None, max_length=128)
    language: Language | None = Field(default=None, description="Of no consequence")
    audio_format: AudioFormat | None = None
    sampling_rate: Rate | None = None
    threshold: float | None = Field(default=None, ge=0.01, le=0.99)
    min_silence_duration_ms: int | None = Field(default=None, ge=0, le=60_000)
    speech_pad_ms: int | None = Field(default=None, ge=0, le=5_000)
    min_speech_duration_ms: int | None = Field(default=None, ge=0, le=60_000)

    def options(self) -> VadOptions:
        """As the service takes it."""
        return VadOptions(
            self.threshold,
            self.min_silence_duration_ms,
            self.speech_pad_ms,
            self.min_speech_duration_ms,
        )

    def reading(self) -> AsrOptions:
        """How the audio is read."""
        return AsrOptions("", declared_format=self.audio_format, sampling_rate=self.sampling_rate)


class VadBody(Ulca):
    """A request."""

    audio: list[AudioItem] = Field(min_length=1, max_length=MAX_ITEMS)
    config: VadConfig = VadConfig()


class TimestampOut(BaseModel):
    """A stretch of speech, in seconds."""

    start: float
    end: float


class SpeechOut(BaseModel):
    """The speech in one recording."""

    timestamps: list[TimestampOut]


class VadAnswer(BaseModel):
    """The speech in each recording, in the order of the request."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    task_type: Literal["vad"] = "vad"
    output: list[SpeechOut]
    config: dict[str, Any] = Field(description="The request's own configuration")

    @classmethod
    def of(cls, found: list[list[Span]], config: dict[str, Any]) -> "VadAnswer":
        """From the domain."""
        return cls(
            output=[
                SpeechOut(
                    timestamps=[
                        TimestampOut(start=_seconds(span.start), end=_seconds(span.end))
                        for span in spans
                    ]
                )
                for spans in found
            ],
            config=config,
        )


def _seconds(samples: int) -> float:
    return round(samples / SAMPLE_RATE, _DIGITS)
