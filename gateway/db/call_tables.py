"""Table of recorded calls."""

from datetime import datetime

from sqlalchemy import Float, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.tables import GatewayBase
from shared.db.base import JsonDocument, UtcDateTime


class CallRow(GatewayBase):
    """A call: where its parts are in the services, and what its sender said of it."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_tenant_id", "tenant_id", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    trace_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    status: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(35))
    duration_s: Mapped[float] = mapped_column(Float)
    asr_id: Mapped[str] = mapped_column(String(32))
    analysis_id: Mapped[str | None] = mapped_column(String(32))
    rules_version: Mapped[str | None] = mapped_column(String(32))
    recording_id: Mapped[str | None] = mapped_column(String(32))
    details: Mapped[dict[str, object]] = mapped_column(JsonDocument)
    roles: Mapped[dict[str, str]] = mapped_column(JsonDocument)
    degraded: Mapped[list[dict[str, str]]] = mapped_column(JsonDocument)
    timings: Mapped[dict[str, float]] = mapped_column(JsonDocument)
    tracked: Mapped[bool]
