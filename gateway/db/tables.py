"""Tables of the gateway's own database."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, JsonDocument, UtcDateTime, new_metadata

metadata = new_metadata()


class GatewayBase(Base):
    """Base of the gateway's tables."""

    __abstract__ = True
    metadata = metadata


class OrganizationRow(GatewayBase):
    """A tenant: every row that a request makes in any service carries its id."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())


class ApiKeyRow(GatewayBase):
    """An API key, without the key."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    environment: Mapped[str] = mapped_column(String(8))
    hmac: Mapped[bytes] = mapped_column(LargeBinary(32))
    pepper_version: Mapped[int]
    scopes: Mapped[list[str]] = mapped_column(JsonDocument)
    per_minute: Mapped[int | None]
    per_hour: Mapped[int | None]
    per_day: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
