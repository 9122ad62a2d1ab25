"""Recorded calls in the database, by tenant."""

from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.call_tables import CallRow
from gateway.exceptions import CallNotFound
from gateway.models.accounts import Page
from gateway.models.calls import Call, Degradation
from gateway.repositories.paging import id_cursor, make_page


class CallRepository:
    """Reads and writes calls; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, call: Call) -> None:
        """Store a new call."""
        self._session.add(CallRow(**_columns(call)))
        await self._session.flush()

    async def update(self, call: Call) -> None:
        """Write all members of a stored call.

        Raises:
            CallNotFound: It was deleted meanwhile.
        """
        result = await self._session.execute(
            update(CallRow)
            .where(CallRow.id == call.id, CallRow.tenant_id == call.tenant_id)
            .values(**_columns(call))
        )
        if not cast("CursorResult[Any]", result).rowcount:
            raise CallNotFound

    async def find(self, tenant_id: str, call_id: str) -> Call | None:
        """A call of a tenant."""
        query = select(CallRow).where(CallRow.tenant_id == tenant_id, CallRow.id == call_id)
        row = await self._session.scalar(query)
        return None if row is None else _to_model(row)

    async def list(self, tenant_id: str, limit: int, cursor: str | None = None) -> Page[Call]:
        """A page of a tenant's calls, newest first."""
        query = (
            select(CallRow)
            .where(CallRow.tenant_id == tenant_id)
            .order_by(CallRow.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            query = query.where(CallRow.id < id_cursor(cursor))
        found = [_to_model(row) for row in await self._session.scalars(query)]
        return make_page(found, limit, lambda call: call.id)

    async def delete(self, tenant_id: str, call_id: str) -> bool:
        """Delete a call of a tenant; whether there was one."""
        statement = delete(CallRow).where(CallRow.tenant_id == tenant_id, CallRow.id == call_id)
        result = await self._session.execute(statement)
        return cast("CursorResult[Any]", result).rowcount > 0


def _columns(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "tenant_id": call.tenant_id,
        "subject": call.subject,
        "request_id": call.request_id,
        "trace_id": call.trace_id,
        "created_at": call.created_at,
        "status": call.status.value,
        "language": call.language,
        "duration_s": call.duration_s,
        "asr_id": call.asr_id,
        "analysis_id": call.analysis_id,
        "rules_version": call.rules_version,
        "recording_id": call.recording_id,
        "details": dict(call.details),
        "roles": dict(call.roles),
        "degraded": [asdict(one) for one in call.degraded],
        "timings": dict(call.timings),
        "tracked": call.tracked,
    }


def _to_model(row: CallRow) -> Call:
    return Call(
        id=row.id,
        tenant_id=row.tenant_id,
        subject=row.subject,
        request_id=row.request_id,
        trace_id=row.trace_id,
        created_at=row.created_at,
        language=row.language,
        duration_s=row.duration_s,
        asr_id=row.asr_id,
        analysis_id=row.analysis_id,
        rules_version=row.rules_version,
        recording_id=row.recording_id,
        details=row.details,
        roles=row.roles,
        degraded=tuple(Degradation(**one) for one in row.degraded),
        timings=row.timings,
        tracked=row.tracked,
    )
