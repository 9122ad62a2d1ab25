"""Bodies of the TTS routes: ULCA's members, and our own besides them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from services.tts.models.speech import Speech, SpeechOrder, StoredSpeech, Voice
from shared.audio.encode import MAX_RATE, MIN_RATE, OutputFormat
from shared.wire import AnswerModel, RequestModel

LanguageCode = Annotated[
    StrictStr,
    Field(
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$",
        description="ISO 639 code, with a region if wanted",
        examples=["en"],
    ),
]
Gender = Literal["male", "female"]


class TextItem(RequestModel):
    """One text; one audio comes back for it."""

    source: StrictStr = Field(examples=["Good morning."])


class SpeechLanguage(RequestModel):
    """The language of all texts of a request."""

    source_language: LanguageCode


class SpeechConfig(RequestModel):
    """How to speak, and how to write the audio."""

    service_id: Annotated[StrictStr, Field(max_length=64)] | None = Field(
        default=None, description="Which model; the default one when absent"
    )
    language: SpeechLanguage
    gender: Gender = "female"
    voice: Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9+_-]{0,31}$")] | None = Field(
        default=None, description="A voice of the engine's own, in place of the gender's"
    )
    speed: float = Field(default=1.0, ge=0.6, le=3.0, strict=True, description="1 is normal")
    audio_format: StrictStr = Field(
        default="wav",
        max_length=16,
        description=f"One of {', '.join(OutputFormat)}; pcm is 16 bit, little endian, mono",
    )
    sampling_rate: StrictInt | None = Field(
        default=None,
        description=f"{MIN_RATE} to {MAX_RATE} Hz; 22,050 when absent (24,000 for opus)",
    )


class SpeechRequest(RequestModel):
    """Body of `POST /api/v1/tts/inference`."""

    input: list[TextItem]
    config: SpeechConfig

    def order(self) -> SpeechOrder:
        """The request as the domain knows it."""
        return SpeechOrder(
            texts=tuple(item.source for item in self.input),
            voice=Voice(
                language=self.config.language.source_language,
                gender=self.config.gender,
                name=self.config.voice,
                speed=self.config.speed,
            ),
            audio_format=self.config.audio_format,
            sampling_rate=self.config.sampling_rate,
            service_id=self.config.service_id,
        )


class AudioItem(AnswerModel):
    """The audio of one text."""

    audio_content: str = Field(description="The encoded audio in base64")
    audio_uri: str | None = None
    duration: float = Field(description="Seconds")


class SpokenLanguage(AnswerModel):
    """The language that was spoken."""

    source_language: str


class SpeechAnswerConfig(AnswerModel):
    """How it was spoken and written."""

    language: SpokenLanguage
    audio_format: OutputFormat
    encoding: Literal["base64"] = "base64"
    sampling_rate: int
    gender: Gender


class SpeechUsage(AnswerModel):
    """What counts."""

    characters: int


class SpeechAnswer(AnswerModel):
    """Answer of `POST /api/v1/tts/inference`."""

    id: str = Field(description="Of the stored request")
    task_type: Literal["tts"] = "tts"
    audio: list[AudioItem]
    config: SpeechAnswerConfig
    usage: SpeechUsage
    timings: dict[str, float] = Field(description="Milliseconds of each step")

    @classmethod
    def of(cls, speech: Speech, config: SpeechConfig) -> "SpeechAnswer":
        """The answer for a finished request."""
        return cls(
            id=speech.id,
            audio=[
                AudioItem(audio_content=item.content, duration=item.duration_s)
                for item in speech.items
            ],
            config=SpeechAnswerConfig(
                language=SpokenLanguage(source_language=config.language.source_language),
                audio_format=speech.output.audio_format,
                sampling_rate=speech.output.sampling_rate,
                gender=config.gender,
            ),
            usage=SpeechUsage(characters=speech.characters),
            timings=speech.timings_ms,
        )


class StoredAudio(AnswerModel):
    """What is kept of one audio; the audio itself is not."""

    source: str
    duration: float
    size: int = Field(description="Bytes of the encoded audio")
    sha256: str = Field(description="Of the encoded audio")


class StoredSpeechAnswer(AnswerModel):
    """Answer of `GET /api/v1/tts/requests/{id}`."""

    id: str
    request_id: str
    created_at: datetime
    status: Literal["succeeded", "failed"]
    error_code: str | None
    model: str
    config: SpeechAnswerConfig
    voice: str | None
    speed: float
    items: int
    characters: int
    duration: float | None = Field(description="Seconds of all audio")
    latency_ms: float
    output: list[StoredAudio]

    @classmethod
    def of(cls, stored: StoredSpeech) -> "StoredSpeechAnswer":
        """The answer for a stored request."""
        record = stored.record
        return cls(
            id=record.id,
            request_id=stored.request_id,
            created_at=record.created_at,
            status="failed" if record.error_code else "succeeded",
            error_code=record.error_code,
            model=record.model,
            config=SpeechAnswerConfig(
                language=SpokenLanguage(source_language=record.voice.language),
                audio_format=record.output.audio_format,
                sampling_rate=record.output.sampling_rate,
                gender="male" if record.voice.gender == "male" else "female",
            ),
            voice=record.voice.name,
            speed=record.voice.speed,
            items=record.item_count,
            characters=record.characters,
            duration=record.duration_s,
            latency_ms=record.latency_ms,
            output=[
                StoredAudio(
                    source=item.text, duration=item.duration_s, size=item.size, sha256=item.sha256
                )
                for item in stored.items
            ],
        )


class VoiceEntry(AnswerModel):
    """One language of one model."""

    service_id: str
    language: str
    genders: tuple[Gender, ...] = ("female", "male")


class VoicesAnswer(AnswerModel):
    """Answer of `GET /api/v1/tts/voices`."""

    voices: list[VoiceEntry]
    audio_formats: tuple[OutputFormat, ...] = tuple(OutputFormat)
    sampling_rate: int = Field(description="Of the model's own audio, in Hz")
