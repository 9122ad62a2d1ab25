"""Stored requests of all tasks but translation and conversations."""

from collections.abc import Sequence

from services.nlp.db.tables import nlp_requests, nlp_results
from services.nlp.models.analysis import AnalysisRecord, AnalyzedItem, StoredAnalysis, Task
from shared.caller import Caller
from shared.db.requests import RequestStore, request_row, result_rows
from shared.lifecycle import Platform


class AnalysisRepository:
    """Writes by group commit, reads by tenant."""

    def __init__(self, platform: Platform) -> None:
        self._store = RequestStore(platform.engine, platform.writer, nlp_requests, nlp_results)

    async def add(
        self, caller: Caller, record: AnalysisRecord, items: Sequence[AnalyzedItem] = ()
    ) -> None:
        """Return when the request and its results are durable."""
        row = request_row(
            caller,
            request_id=record.id,
            created_at=record.created_at,
            model=record.model,
            error_code=record.error_code,
            latency_ms=record.latency_ms,
            task=record.task.value,
            language=record.language,
            items=record.item_count,
            characters=record.characters,
        )
        contents = [{"source": item.source, "finding": item.finding} for item in items]
        await self._store.add(row, result_rows(record.id, record.created_at, contents))

    async def find(self, tenant_id: str, request_id: str) -> StoredAnalysis | None:
        """A request of the tenant's."""
        found = await self._store.find(tenant_id, request_id)
        if found is None:
            return None
        row = found.request
        record = AnalysisRecord(
            id=row["id"],
            created_at=row["created_at"],
            task=Task(row["task"]),
            model=row["model"],
            language=row["language"],
            item_count=row["items"],
            characters=row["characters"],
            latency_ms=row["latency_ms"],
            error_code=row["error_code"],
        )
        items = tuple(AnalyzedItem(item["source"], item["finding"]) for item in found.results)
        return StoredAnalysis(record, row["request_id"], items)
