"""Bodies of the TTS routes: ULCA's members, and our own besides them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import FailFast, Field, StrictBool, StrictInt, StrictStr

from services.tts.models.speech import Speech, SpeechOrder, SpokenItem, StoredSpeech, Voice
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
VoiceName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9+_.-]{0,31}$")]
_MARKUP = {"auto": None, "text": False, "ssml": True}


class TextItem(RequestModel):
    """One text; one audio comes back for it."""

    source: StrictStr = Field(examples=["Good morning."])
    audio_duration: Annotated[float, Field(gt=0, le=1200, strict=True)] | None = Field(
        default=None,
        description="Seconds that the audio should last: it is spoken faster or slower, and "
        "silence fills what is missing",
    )


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
    voice: VoiceName | None = Field(
        default=None,
        description="The id of a listed voice, or a voice of the engine's own, in place of the "
        "gender's",
    )
    speed: float = Field(default=1.0, ge=0.6, le=3.0, strict=True, description="1 is normal")
    pitch: float = Field(default=1.0, ge=0.5, le=2.0, strict=True, description="1 is normal")
    input_format: Literal["auto", "text", "ssml"] = Field(
        default="auto", description="What the texts are; auto: SSML where they begin with <speak"
    )
    word_times: StrictBool = Field(
        default=False, description="Whether the answer tells when each word is heard (estimated)"
    )
    cache: StrictBool = Field(
        default=True, description="Whether sounds may be taken from memory and stay there"
    )
    audio_format: StrictStr = Field(
        default="wav",
        max_length=16,
        description=f"One of {', '.join(OutputFormat)}; pcm is 16 bit, little endian, mono; aac "
        "where PyAV is installed",
    )
    sampling_rate: StrictInt | None = Field(
        default=None,
        description=f"{MIN_RATE} to {MAX_RATE} Hz; 22,050 when absent (24,000 for opus)",
    )


class SpeechControl(RequestModel):
    """What may be kept."""

    data_tracking: StrictBool = Field(
        default=True,
        description="Whether texts may be stored, and their sound kept in memory; what was asked "
        "is counted in any case",
    )


class SpeechRequest(RequestModel):
    """Body of `POST /api/v1/tts/inference`."""

    # Naming each one that is wrong would hold up the event loop.
    input: Annotated[list[TextItem], FailFast()]
    config: SpeechConfig
    control_config: SpeechControl = SpeechControl()

    def order(self) -> SpeechOrder:
        """The request as the domain knows it."""
        return SpeechOrder(
            texts=tuple(item.source for item in self.input),
            durations=tuple(item.audio_duration for item in self.input),
            voice=Voice(
                language=self.config.language.source_language,
                gender=self.config.gender,
                name=self.config.voice,
                speed=self.config.speed,
                pitch=self.config.pitch,
            ),
            audio_format=self.config.audio_format,
            sampling_rate=self.config.sampling_rate,
            service_id=self.config.service_id,
            markup=_MARKUP[self.config.input_format],
            word_times=self.config.word_times,
            kept=self.control_config.data_tracking,
            cached=self.config.cache and self.control_config.data_tracking,
        )


class WordTime(AnswerModel):
    """When a word is heard, in seconds; an estimate."""

    word: str
    start: float
    end: float


class MarkTime(AnswerModel):
    """When a mark of the text is passed, in seconds."""

    name: str
    time: float


class AudioItem(AnswerModel):
    """The audio of one text."""

    audio_content: str = Field(description="The encoded audio in base64")
    audio_uri: str | None = None
    duration: float = Field(description="Seconds")
    marks: list[MarkTime] = Field(default=[], description="Of the text's markup")
    words: list[WordTime] | None = Field(default=None, description="Where wordTimes asks for them")

    @classmethod
    def of(cls, item: SpokenItem, *, word_times: bool) -> "AudioItem":
        """The answer for one text."""
        return cls(
            audio_content=item.content,
            duration=item.duration_s,
            marks=[MarkTime(name=one.name, time=one.time) for one in item.marks],
            words=[WordTime(word=one.word, start=one.start, end=one.end) for one in item.words]
            if word_times
            else None,
        )


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
            audio=[AudioItem.of(item, word_times=config.word_times) for item in speech.items],
            config=SpeechAnswerConfig(
                language=SpokenLanguage(source_language=config.language.source_language),
                audio_format=speech.output.audio_format,
                sampling_rate=speech.output.sampling_rate,
                gender=_gender_of(speech.voice),
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
                gender=_gender_of(record.voice),
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


def _gender_of(voice: Voice) -> Gender:
    return "male" if voice.gender == "male" else "female"
