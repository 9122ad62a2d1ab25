"""The answers of OpenAI's audio API; times in seconds."""

import math
import zlib
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel

from services.asr.models.transcript import Transcript, Utterance, Word
from services.asr.schemas.openai_languages import language_name
from services.asr.services.asr_service import Answer
from services.asr.services.subtitles import turns

_LEAST_CONFIDENCE = 1e-5
_DIGITS = 4
Task = Literal["transcribe", "translate"]


class UsageOut(BaseModel):
    """What the request is charged by."""

    type: Literal["duration"] = "duration"
    seconds: float


class LogprobOut(BaseModel):
    """A word and the logarithm of its confidence; the engines here know words, not tokens."""

    token: str
    logprob: float
    bytes: list[int]


class PlainOut(BaseModel):
    """`response_format=json`."""

    text: str
    logprobs: list[LogprobOut] | None = None
    usage: UsageOut


class WordTimeOut(BaseModel):
    """A word of a verbose answer."""

    word: str
    start: float
    end: float


class VerboseSegmentOut(BaseModel):
    """A segment of a verbose answer, with the members that Whisper has."""

    id: int
    seek: int = 0
    start: float
    end: float
    text: str
    tokens: list[int] = []
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float = 0.0


class VerboseOut(BaseModel):
    """`response_format=verbose_json`."""

    task: Task
    language: str
    duration: float
    text: str
    words: list[WordTimeOut] | None = None
    segments: list[VerboseSegmentOut] | None = None
    usage: UsageOut


class SpeakerSegmentOut(BaseModel):
    """What one speaker says in a stretch."""

    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    id: str
    start: float
    end: float
    text: str
    speaker: str


class DiarizedOut(BaseModel):
    """`response_format=diarized_json`."""

    task: Task = "transcribe"
    duration: float
    text: str
    segments: list[SpeakerSegmentOut]
    usage: UsageOut


class ModelOut(BaseModel):
    """A model's name."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "speechgate"


class ModelsOut(BaseModel):
    """The models that the sender may use."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


def plain(answer: Answer, *, logprobs: bool) -> PlainOut:
    """The short answer."""
    (found,) = answer.transcripts
    words = [_logprob(word) for word in found.words] if logprobs else None
    return PlainOut(text=found.text, logprobs=words, usage=_usage(answer))


def verbose(
    answer: Answer, task: Task, granularities: frozenset[str], temperature: float
) -> VerboseOut:
    """The long answer.

    Args:
        answer: Of one recording.
        task: What was asked for.
        granularities: Of `word` and `segment`, those that are answered.
        temperature: As the request gave it.
    """
    (found,) = answer.transcripts
    return VerboseOut(
        task=task,
        language=language_name(answer.language),
        duration=found.duration,
        text=found.text,
        words=[WordTimeOut(word=one.word, start=one.start, end=one.end) for one in found.words]
        if "word" in granularities
        else None,
        segments=[_segment(index, one, temperature) for index, one in enumerate(found.utterances)]
        if "segment" in granularities
        else None,
        usage=_usage(answer),
    )


def diarized(answer: Answer) -> DiarizedOut:
    """The answer with speakers."""
    (found,) = answer.transcripts
    return DiarizedOut(
        duration=found.duration,
        text=found.text,
        segments=_speaker_segments(found),
        usage=_usage(answer),
    )


def events(answer: Answer, *, logprobs: bool, speakers: bool) -> Iterator[dict[str, Any]]:
    """A transcript as the events of a stream."""
    (found,) = answer.transcripts
    words = iter(found.words)
    glue = ""
    for utterance, segment in zip(found.utterances, _speaker_segments(found), strict=True):
        event: dict[str, Any] = {
            "type": "transcript.text.delta",
            "delta": f"{glue}{utterance.text}",
        }
        glue = " "
        if speakers:
            event["segment_id"] = segment.id
        if logprobs:
            count = len(utterance.text.split())
            said = [word for _, word in zip(range(count), words, strict=False)]
            event["logprobs"] = [_logprob(word).model_dump() for word in said]
        yield event
        if speakers:
            yield segment.model_dump()
    done: dict[str, Any] = {"type": "transcript.text.done", "text": found.text}
    if logprobs:
        done["logprobs"] = [_logprob(word).model_dump() for word in found.words]
    yield {**done, "usage": _usage(answer).model_dump()}


def _speaker_segments(found: Transcript) -> list[SpeakerSegmentOut]:
    known = {one.label: one.known for one in found.speakers or ()}
    names: dict[str, str] = {}
    for turn in turns(found):
        label = turn.speaker or ""
        match = known.get(label)
        names.setdefault(label, match.name if match and match.name else _letter(len(names)))
    return [
        SpeakerSegmentOut(
            id=f"seg_{index}",
            start=turn.start,
            end=turn.end,
            text=turn.text,
            speaker=names[turn.speaker or ""],
        )
        for index, turn in enumerate(turns(found))
    ]


def _letter(index: int) -> str:
    """A, B, … as unnamed speakers are called."""
    return chr(ord("A") + index % 26)


def _segment(index: int, one: Utterance, temperature: float) -> VerboseSegmentOut:
    raw = one.text.encode()
    return VerboseSegmentOut(
        id=index,
        start=one.start,
        end=one.end,
        text=one.text,
        temperature=temperature,
        avg_logprob=_log(one.confidence),
        compression_ratio=round(len(raw) / len(zlib.compress(raw)), _DIGITS),
    )


def _logprob(word: Word) -> LogprobOut:
    return LogprobOut(
        token=word.word, logprob=_log(word.confidence), bytes=list(word.word.encode())
    )


def _log(confidence: float) -> float:
    return round(math.log(max(confidence, _LEAST_CONFIDENCE)), _DIGITS)


def _usage(answer: Answer) -> UsageOut:
    return UsageOut(seconds=answer.audio_seconds)
