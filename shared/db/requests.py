"""The two tables that every inference service has.

What was asked is in `…_requests`; what came out in `…_results`, one row an item. Content (text,
transcripts) is in the results only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.caller import Caller
from shared.db.base import UtcDateTime, new_id
from shared.db.group_commit import GroupCommitWriter, Row
from shared.db.transactions import reading, writing

SUCCEEDED = "succeeded"
FAILED = "failed"


def request_table(name: str, metadata: MetaData, *columns: Column[Any]) -> Table:
    """A table of requests: who, when, by which model, how it went; and the task's own columns."""
    return Table(
        name,
        metadata,
        Column("id", String(32), primary_key=True),
        Column("tenant_id", String(64), nullable=False),
        Column("subject", String(64), nullable=False),
        Column("request_id", String(64), nullable=False),
        Column("trace_id", String(32), nullable=False),
        Column("created_at", UtcDateTime(), nullable=False),
        Column("model", String(64), nullable=False),
        Column("status", String(16), nullable=False),
        Column("error_code", String(64)),
        Column("latency_ms", Float, nullable=False),
        *columns,
        Index(None, "tenant_id", "created_at"),
    )


def result_table(name: str, metadata: MetaData, requests: Table, *columns: Column[Any]) -> Table:
    """A table of results, numbered within their request."""
    return Table(
        name,
        metadata,
        Column("id", String(32), primary_key=True),
        Column(
            "request_id",
            String(32),
            ForeignKey(requests.c.id, ondelete="CASCADE"),
            nullable=False,
        ),
        Column("position", Integer, nullable=False),
        Column("created_at", UtcDateTime(), nullable=False),
        *columns,
        UniqueConstraint("request_id", "position"),
    )


def request_row(
    caller: Caller,
    *,
    request_id: str,
    created_at: datetime,
    model: str,
    error_code: str | None,
    latency_ms: float,
    **own: Any,
) -> Row:
    """A row of a request table; `own` are the task's columns. All columns must be given."""
    return {
        "id": request_id,
        "tenant_id": caller.tenant_id,
        "subject": caller.subject,
        "request_id": caller.request_id,
        "trace_id": caller.trace_id,
        "created_at": created_at,
        "model": model,
        "status": SUCCEEDED if error_code is None else FAILED,
        "error_code": error_code,
        "latency_ms": round(latency_ms, 3),
        **own,
    }


def result_rows(request_id: str, created_at: datetime, contents: Sequence[Row]) -> list[Row]:
    """Rows of a result table, one for each item's content."""
    return [
        {
            "id": new_id(),
            "request_id": request_id,
            "position": position,
            "created_at": created_at,
            **content,
        }
        for position, content in enumerate(contents)
    ]


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The row of a request and the rows of its results, in order."""

    request: Mapping[str, Any]
    results: Sequence[Mapping[str, Any]]


class RequestStore:
    """Writes and reads one pair of tables."""

    def __init__(
        self, engine: AsyncEngine, writer: GroupCommitWriter, requests: Table, results: Table
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._requests = requests
        self._results = results

    async def add(self, request: Row, results: Sequence[Row] = ()) -> None:
        """Return when the rows are durable.

        Raises:
            Unavailable: Neither database nor spool takes them.
        """
        rows = {self._requests.name: [request]}
        if results:
            rows[self._results.name] = list(results)
        await self._writer.write(rows)

    async def find(self, tenant_id: str, request_id: str) -> StoredRequest | None:
        """A tenant's request with its results; another tenant's is as good as absent.

        Raises:
            Unavailable: The database does not answer.
        """
        wanted = select(self._requests).where(
            self._requests.c.id == request_id, self._requests.c.tenant_id == tenant_id
        )
        found = (
            select(self._results)
            .where(self._results.c.request_id == request_id)
            .order_by(self._results.c.position)
        )
        async with reading(self._engine) as connection:
            request = (await connection.execute(wanted)).mappings().one_or_none()
            if request is None:
                return None
            results = (await connection.execute(found)).mappings().all()
        return StoredRequest(dict(request), [dict(row) for row in results])

    async def delete(self, tenant_id: str, request_id: str) -> bool:
        """Delete a tenant's request with its results for good; whether there was one.

        Raises:
            Unavailable: The database does not answer.
        """
        statement = delete(self._requests).where(
            self._requests.c.id == request_id, self._requests.c.tenant_id == tenant_id
        )
        async with writing(self._engine) as connection:
            return (await connection.execute(statement)).rowcount > 0
