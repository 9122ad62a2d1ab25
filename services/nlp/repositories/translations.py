"""Stored translations."""

from collections.abc import Sequence

from services.nlp.db.tables import nmt_requests, nmt_results
from services.nlp.models.languages import Pair
from services.nlp.models.translation import StoredTranslation, TranslatedItem, TranslationRecord
from shared.caller import Caller
from shared.db.requests import RequestStore, request_row, result_rows
from shared.lifecycle import Platform


class TranslationRepository:
    """Writes by group commit, reads by tenant."""

    def __init__(self, platform: Platform) -> None:
        self._store = RequestStore(platform.engine, platform.writer, nmt_requests, nmt_results)

    async def add(
        self, caller: Caller, record: TranslationRecord, items: Sequence[TranslatedItem] = ()
    ) -> None:
        """Return when the request and its results are durable."""
        row = request_row(
            caller,
            request_id=record.id,
            created_at=record.created_at,
            model=record.model,
            error_code=record.error_code,
            latency_ms=record.latency_ms,
            source_language=record.pair.source,
            target_language=record.pair.target,
            items=record.item_count,
            sentences=record.sentences,
            characters=record.characters,
        )
        contents = [{"source": item.source, "target": item.target} for item in items]
        await self._store.add(row, result_rows(record.id, record.created_at, contents))

    async def find(self, tenant_id: str, request_id: str) -> StoredTranslation | None:
        """A request of the tenant's."""
        found = await self._store.find(tenant_id, request_id)
        if found is None:
            return None
        row = found.request
        record = TranslationRecord(
            id=row["id"],
            created_at=row["created_at"],
            model=row["model"],
            pair=Pair(row["source_language"], row["target_language"]),
            item_count=row["items"],
            sentences=row["sentences"],
            characters=row["characters"],
            latency_ms=row["latency_ms"],
            error_code=row["error_code"],
        )
        items = tuple(TranslatedItem(item["source"], item["target"]) for item in found.results)
        return StoredTranslation(record, row["request_id"], items)
