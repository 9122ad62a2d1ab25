"""Tables of feature flags: the last known flags, and what was decided with them."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.tables import GatewayBase
from shared.db.base import JsonDocument, UtcDateTime


class FeatureFlagRow(GatewayBase):
    """A flag as its source last described it."""

    __tablename__ = "feature_flags"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    environment: Mapped[str] = mapped_column(String(50), primary_key=True)
    enabled: Mapped[bool]
    description: Mapped[str] = mapped_column(String(500))
    definition: Mapped[dict[str, object]] = mapped_column(JsonDocument)
    source: Mapped[str] = mapped_column(String(16))
    synced_at: Mapped[datetime] = mapped_column(UtcDateTime())


class FeatureFlagEvaluationRow(GatewayBase):
    """One evaluation of a flag."""

    __tablename__ = "feature_flag_evaluations"
    __table_args__ = (
        Index("ix_feature_flag_evaluations_flag_time", "flag_name", "evaluated_at"),
        Index("ix_feature_flag_evaluations_tenant_time", "tenant_id", "evaluated_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    flag_name: Mapped[str] = mapped_column(String(100))
    environment: Mapped[str] = mapped_column(String(50))
    tenant_id: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    targeting_key: Mapped[str] = mapped_column(String(64))
    value: Mapped[object] = mapped_column(JsonDocument)
    variant: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(32))
    origin: Mapped[str] = mapped_column(String(16))
    request_id: Mapped[str] = mapped_column(String(64))
    evaluated_at: Mapped[datetime] = mapped_column(UtcDateTime())
