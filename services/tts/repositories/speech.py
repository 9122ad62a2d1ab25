"""Stored speech requests."""

from collections.abc import Sequence

from services.tts.db.tables import tts_requests, tts_results
from services.tts.models.speech import (
    Output,
    SpeechRecord,
    SpokenItem,
    StoredItem,
    StoredSpeech,
    Voice,
)
from shared.audio.encode import OutputFormat
from shared.caller import Caller
from shared.db.requests import RequestStore, request_row, result_rows
from shared.lifecycle import Platform


class SpeechRepository:
    """Writes by group commit, reads by tenant."""

    def __init__(self, platform: Platform) -> None:
        self._store = RequestStore(platform.engine, platform.writer, tts_requests, tts_results)

    async def add(
        self, caller: Caller, record: SpeechRecord, items: Sequence[SpokenItem] = ()
    ) -> None:
        """Return when the request and its results are durable."""
        row = request_row(
            caller,
            request_id=record.id,
            created_at=record.created_at,
            model=record.model,
            error_code=record.error_code,
            latency_ms=record.latency_ms,
            language=record.voice.language,
            gender=record.voice.gender,
            voice=record.voice.name,
            speed=record.voice.speed,
            audio_format=record.output.audio_format.value,
            sampling_rate=record.output.sampling_rate,
            items=record.item_count,
            characters=record.characters,
            duration_s=record.duration_s,
        )
        contents = [
            {
                "source": item.text,
                "duration_s": item.duration_s,
                "size_bytes": item.size,
                "sha256": item.sha256,
            }
            for item in items
        ]
        await self._store.add(row, result_rows(record.id, record.created_at, contents))

    async def find(self, tenant_id: str, request_id: str) -> StoredSpeech | None:
        """A request of the tenant's."""
        found = await self._store.find(tenant_id, request_id)
        if found is None:
            return None
        row = found.request
        record = SpeechRecord(
            id=row["id"],
            created_at=row["created_at"],
            model=row["model"],
            voice=Voice(row["language"], row["gender"], row["voice"], row["speed"]),
            output=Output(OutputFormat(row["audio_format"]), row["sampling_rate"]),
            item_count=row["items"],
            characters=row["characters"],
            latency_ms=row["latency_ms"],
            duration_s=row["duration_s"],
            error_code=row["error_code"],
        )
        items = tuple(
            StoredItem(item["source"], item["duration_s"], item["size_bytes"], item["sha256"])
            for item in found.results
        )
        return StoredSpeech(record, row["request_id"], items)
