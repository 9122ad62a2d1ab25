"""What the service answers: the ULCA members, and more beside them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.asr.models.audio import TranscriptFormat
from services.asr.models.request import StoredTranscripts
from services.asr.models.transcript import Transcript
from services.asr.schemas.speakers import SpeakerOut
from services.asr.services.asr_service import Answer
from services.asr.services.subtitles import render


class WordOut(BaseModel):
    """A word; times in seconds from the start of the audio, confidence 0 to 1."""

    model_config = ConfigDict(from_attributes=True)

    word: str
    start: float
    end: float
    confidence: float
    channel: int | None = None
    speaker: str | None = None


class SegmentOut(BaseModel):
    """A stretch of speech."""

    model_config = ConfigDict(from_attributes=True)

    start: float
    end: float
    text: str
    confidence: float
    channel: int | None = None
    speaker: str | None = None


class BestTokensOut(BaseModel):
    """Readings of one word, each `{reading: weight}`, best first."""

    word: str
    tokens: list[dict[str, float]]


class QualityOut(BaseModel):
    """The transcript against its reference, case and punctuation aside."""

    model_config = ConfigDict(from_attributes=True)

    wer: float = Field(description="Word error rate; over 1 where much was added")
    mer: float = Field(description="Match error rate, 0 to 1")
    cer: float = Field(description="Character error rate")
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    reference_words: int


class TranscriptOut(BaseModel):
    """The recognition of one audio item."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    source: str = Field(description="The transcript, or subtitles where those were asked for")
    words: list[WordOut]
    segments: list[SegmentOut]
    confidence: float
    duration: float = Field(description="Seconds of audio")
    language: str
    n_best_tokens: list[BestTokensOut] | None = None
    quality: QualityOut | None = None
    speakers: list[SpeakerOut] | None = None

    @classmethod
    def of(cls, found: Transcript, language: str, wanted: TranscriptFormat) -> "TranscriptOut":
        """From the domain."""
        alternatives = found.alternatives
        return cls(
            source=render(found, wanted),
            words=[WordOut.model_validate(word) for word in found.words],
            segments=[SegmentOut.model_validate(one) for one in found.utterances],
            confidence=found.confidence,
            duration=found.duration,
            language=language,
            speakers=None
            if found.speakers is None
            else [SpeakerOut.of(one) for one in found.speakers],
            quality=None if found.quality is None else QualityOut.model_validate(found.quality),
            n_best_tokens=None
            if alternatives is None
            else [
                BestTokensOut(
                    word=one.word, tokens=[{token: weight} for token, weight in one.tokens]
                )
                for one in alternatives
            ],
        )


class Usage(BaseModel):
    """What the request is charged by."""

    audio_seconds: float


class AsrAnswer(BaseModel):
    """A recognized request; `id` finds it again."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    task_type: Literal["asr"] = "asr"
    output: list[TranscriptOut]
    config: dict[str, Any] = Field(description="The request's own configuration")
    usage: Usage = Field(alias="usage")
    timings: dict[str, float] = Field(description="Milliseconds by stage")

    @classmethod
    def of(cls, answer: Answer, config: dict[str, Any], wanted: TranscriptFormat) -> "AsrAnswer":
        """From the domain."""
        return cls(
            id=answer.id,
            output=[TranscriptOut.of(one, answer.language, wanted) for one in answer.transcripts],
            config=config,
            usage=Usage(audio_seconds=answer.audio_seconds),
            timings=dict(answer.timings),
        )


class StoredAnswer(BaseModel):
    """A stored request; `output` is empty where the transcript was not stored."""

    id: str
    status: Literal["succeeded", "failed", "cancelled"]
    error_code: str | None = None
    created_at: datetime
    request_id: str
    model: str
    language: str
    audio_seconds: float
    segments: int
    latency_ms: float
    output: list[TranscriptOut]

    @classmethod
    def of(cls, stored: StoredTranscripts) -> "StoredAnswer":
        """From the domain."""
        request = stored.request
        return cls(
            id=request.id,
            status=request.status.value,
            error_code=request.error_code,
            created_at=request.created_at,
            request_id=request.caller.request_id,
            model=request.model,
            language=request.language,
            audio_seconds=request.audio_seconds,
            segments=request.segments,
            latency_ms=request.latency_ms,
            output=[
                TranscriptOut.of(one, request.language, TranscriptFormat.TRANSCRIPT)
                for one in stored.transcripts
            ],
        )


class LanguagesAnswer(BaseModel):
    """Languages by the serviceId that serves them."""

    languages: list[str]
    services: dict[str, list[str]]
