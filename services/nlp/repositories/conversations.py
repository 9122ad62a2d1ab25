"""Stored conversations."""

from collections.abc import Mapping
from typing import Any

from services.nlp.db.tables import nlp_conversation_results, nlp_conversations
from services.nlp.models.conversation import (
    ConversationContent,
    ConversationRecord,
    DegradedStep,
    Feeling,
    Role,
    Segment,
    StoredConversation,
)
from shared.caller import Caller
from shared.db.requests import RequestStore, request_row, result_rows
from shared.lifecycle import Platform


class ConversationRepository:
    """Writes by group commit, reads by tenant."""

    def __init__(self, platform: Platform) -> None:
        self._store = RequestStore(
            platform.engine, platform.writer, nlp_conversations, nlp_conversation_results
        )

    async def add(
        self, caller: Caller, record: ConversationRecord, content: ConversationContent | None = None
    ) -> None:
        """Return when the request, and what may be kept of it, are durable."""
        row = request_row(
            caller,
            request_id=record.id,
            created_at=record.created_at,
            model=record.model,
            error_code=record.error_code,
            latency_ms=record.latency_ms,
            language=record.language,
            rules_version=record.rules_version,
            segments=record.segments,
            characters=record.characters,
            moments=record.moments,
        )
        contents = [] if content is None else [{"content": _document(content)}]
        await self._store.add(row, result_rows(record.id, record.created_at, contents))

    async def find(self, tenant_id: str, request_id: str) -> StoredConversation | None:
        """A request of the tenant's.

        Raises:
            Unavailable: The database does not answer.
        """
        found = await self._store.find(tenant_id, request_id)
        if found is None:
            return None
        row = found.request
        record = ConversationRecord(
            id=row["id"],
            created_at=row["created_at"],
            model=row["model"],
            language=row["language"],
            rules_version=row["rules_version"],
            segments=row["segments"],
            characters=row["characters"],
            moments=row["moments"],
            latency_ms=row["latency_ms"],
            error_code=row["error_code"],
        )
        content = _content(found.results[0]["content"]) if found.results else None
        return StoredConversation(record, row["request_id"], content)


def _document(content: ConversationContent) -> dict[str, Any]:
    return {
        "segments": [
            {
                "speaker": one.speaker,
                "start": one.start,
                "end": one.end,
                "text": one.text,
                "label": one.feeling and one.feeling.label,
                "score": one.feeling and one.feeling.score,
            }
            for one in content.segments
        ],
        "roles": dict(content.roles),
        "degraded": [{"step": one.step, "reason": one.reason} for one in content.degraded],
    }


def _content(document: Mapping[str, Any]) -> ConversationContent:
    return ConversationContent(
        segments=tuple(
            Segment(
                index,
                one["speaker"],
                float(one["start"]),
                float(one["end"]),
                one["text"],
                None if one["label"] is None else Feeling(one["label"], float(one["score"])),
            )
            for index, one in enumerate(document["segments"])
        ),
        roles={speaker: Role(role) for speaker, role in document["roles"].items()},
        degraded=tuple(DegradedStep(one["step"], one["reason"]) for one in document["degraded"]),
    )
