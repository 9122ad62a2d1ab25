"""Stored requests and transcripts: written by group commit, read by tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from services.asr.db.tables import asr_requests, asr_results
from services.asr.models.request import AsrRequest, Status, StoredTranscripts
from services.asr.models.speakers import DiarizedSpeaker, Identity, KnownMatch
from services.asr.models.transcript import Transcript, Utterance, Word, WordAlternatives
from shared.caller import Caller
from shared.db.requests import RequestStore, request_row, result_rows
from shared.lifecycle import Platform


class AsrRequestRepository:
    """Requests and their transcripts."""

    def __init__(self, platform: Platform) -> None:
        self._store = RequestStore(platform.engine, platform.writer, asr_requests, asr_results)

    async def add(self, request: AsrRequest, transcripts: Sequence[Transcript] = ()) -> None:
        """Store a request; returns when it is durable.

        Raises:
            Unavailable: Neither the database nor the spool takes it.
        """
        row = request_row(
            request.caller,
            request_id=request.id,
            created_at=request.created_at,
            model=request.model,
            error_code=request.error_code,
            latency_ms=request.latency_ms,
            language=request.language,
            audio_seconds=request.audio_seconds,
            segments=request.segments,
        )
        row["status"] = request.status.value
        contents = list(map(_content, transcripts))
        await self._store.add(row, result_rows(request.id, request.created_at, contents))

    async def get(self, tenant_id: str, request_id: str) -> StoredTranscripts | None:
        """A request of a tenant; None when there is none, or it is another tenant's.

        Raises:
            Unavailable: The database does not answer.
        """
        found = await self._store.find(tenant_id, request_id)
        if found is None:
            return None
        return StoredTranscripts(
            _request(found.request), tuple(_transcript(row) for row in found.results)
        )

    async def delete(self, tenant_id: str, request_id: str) -> bool:
        """Delete a request of a tenant with its transcripts for good; whether there was one.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._store.delete(tenant_id, request_id)


def _content(transcript: Transcript) -> dict[str, Any]:
    alternatives = transcript.alternatives
    return {
        "transcript": transcript.text,
        "words": [asdict(word) for word in transcript.words],
        "utterances": [asdict(utterance) for utterance in transcript.utterances],
        "alternatives": None if alternatives is None else [asdict(one) for one in alternatives],
        "confidence": transcript.confidence,
        "duration": transcript.duration,
        "speakers": _speakers(transcript),
    }


def _speakers(transcript: Transcript) -> list[dict[str, Any]] | None:
    """Without names: who is deleted from the known speakers is not named here either."""
    if transcript.speakers is None:
        return None
    return [
        {
            "speaker": one.label,
            "speech_seconds": one.speech_seconds,
            "identity": one.identity,
            "known": None if one.known is None else {"id": one.known.id, "score": one.known.score},
        }
        for one in transcript.speakers
    ]


def _speaker(found: Mapping[str, Any]) -> DiarizedSpeaker:
    identity, known = found["identity"], found["known"]
    return DiarizedSpeaker(
        found["speaker"],
        found["speech_seconds"],
        None if identity is None else Identity(identity),
        None if known is None else KnownMatch(known["id"], known["score"]),
    )


def _request(row: Mapping[str, Any]) -> AsrRequest:
    return AsrRequest(
        id=row["id"],
        caller=Caller(row["tenant_id"], row["subject"], row["request_id"], row["trace_id"]),
        created_at=row["created_at"],
        model=row["model"],
        language=row["language"],
        status=Status(row["status"]),
        error_code=row["error_code"],
        audio_seconds=row["audio_seconds"],
        segments=row["segments"],
        latency_ms=row["latency_ms"],
    )


def _transcript(row: Mapping[str, Any]) -> Transcript:
    alternatives = row["alternatives"]
    return Transcript(
        text=row["transcript"],
        words=tuple(Word(**word) for word in row["words"]),
        utterances=tuple(Utterance(**utterance) for utterance in row["utterances"]),
        confidence=row["confidence"],
        duration=row["duration"],
        alternatives=None
        if alternatives is None
        else tuple(
            WordAlternatives(one["word"], tuple((token, score) for token, score in one["tokens"]))
            for one in alternatives
        ),
        speakers=None if row["speakers"] is None else tuple(map(_speaker, row["speakers"])),
    )
