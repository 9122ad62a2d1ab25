"""API keys in the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import ApiKeyRow, OrganizationRow
from gateway.models.keys import ApiKey, KeyLimits

_LAST_USED = (
    update(ApiKeyRow)
    .where(ApiKeyRow.id == bindparam("key_id"))
    .where(or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < bindparam("used_at")))
    .values(last_used_at=bindparam("used_at"))
)


_WITH_TENANT = select(ApiKeyRow, OrganizationRow.name).join(
    OrganizationRow, ApiKeyRow.tenant_id == OrganizationRow.id
)


def _to_model(row: ApiKeyRow, tenant_name: str) -> ApiKey:
    return ApiKey(
        id=row.id,
        tenant_id=row.tenant_id,
        tenant_name=tenant_name,
        name=row.name,
        environment=row.environment,
        hmac=row.hmac,
        pepper_version=row.pepper_version,
        scopes=frozenset(row.scopes),
        limits=KeyLimits(row.per_minute, row.per_hour, row.per_day),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


class KeyRepository:
    """Reads and writes keys; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, key_id: str) -> ApiKey | None:
        """The key of this id, whatever its state."""
        row = (await self._session.execute(_WITH_TENANT.where(ApiKeyRow.id == key_id))).first()
        return _to_model(row[0], row[1]) if row else None

    async def list_all(self) -> list[ApiKey]:
        """Every key, newest first."""
        rows = await self._session.execute(_WITH_TENANT.order_by(ApiKeyRow.created_at.desc()))
        return [_to_model(row, tenant) for row, tenant in rows]

    async def add(self, key: ApiKey) -> None:
        """Store a new key."""
        self._session.add(
            ApiKeyRow(
                id=key.id,
                tenant_id=key.tenant_id,
                name=key.name,
                environment=key.environment,
                hmac=key.hmac,
                pepper_version=key.pepper_version,
                scopes=sorted(key.scopes),
                per_minute=key.limits.per_minute,
                per_hour=key.limits.per_hour,
                per_day=key.limits.per_day,
                created_at=key.created_at,
                expires_at=key.expires_at,
            )
        )
        await self._session.flush()

    async def revoke(self, key_id: str, at: datetime) -> None:
        """Mark as revoked; an earlier revocation keeps its time."""
        await self._session.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    async def record_use(self, used: Mapping[str, datetime]) -> None:
        """Write when keys were last used; never moves a time back."""
        rows: list[dict[str, Any]] = [
            {"key_id": key_id, "used_at": at} for key_id, at in used.items()
        ]
        connection = await self._session.connection()
        await connection.execute(_LAST_USED, rows)
