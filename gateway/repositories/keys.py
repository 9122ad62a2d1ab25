"""API keys in the database."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import ApiKeyRow, OrganizationRow, PlanRow
from gateway.models.accounts import Page
from gateway.models.keys import ApiKey, KeyLimits
from gateway.repositories.paging import bad_cursor, make_page
from gateway.repositories.plans import plan_of

_LAST_USED = (
    update(ApiKeyRow)
    .where(ApiKeyRow.id == bindparam("key_id"))
    .where(or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < bindparam("used_at")))
    .values(last_used_at=bindparam("used_at"))
)
_WITH_ORGANIZATION = (
    select(ApiKeyRow, OrganizationRow, PlanRow)
    .join(OrganizationRow, ApiKeyRow.tenant_id == OrganizationRow.id)
    .outerjoin(PlanRow, OrganizationRow.plan_id == PlanRow.id)
    .execution_options(populate_existing=True)
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"([0-9a-f]{1,14})-([0-9A-Za-z]{12})", re.ASCII)


def _to_model(found: Row[ApiKeyRow, OrganizationRow, PlanRow]) -> ApiKey:
    row, organization, plan = found
    return ApiKey(
        id=row.id,
        tenant_id=row.tenant_id,
        tenant_name=organization.name,
        name=row.name,
        environment=row.environment,
        hmac=row.hmac,
        pepper_version=row.pepper_version,
        scopes=frozenset(row.scopes),
        limits=KeyLimits(row.per_minute, row.per_hour, row.per_day, row.max_concurrent),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        user_id=row.user_id,
        models=None if row.models is None else frozenset(row.models),
        rotated_from=row.rotated_from,
        suspended=organization.suspended_at is not None,
        plan=plan_of(plan),
    )


def _cursor_of(key: ApiKey) -> str:
    return f"{(key.created_at - _EPOCH) // _MICROSECOND:x}-{key.id}"


def _position(cursor: str) -> tuple[datetime, str]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise bad_cursor()
    try:
        return _EPOCH + int(match[1], 16) * _MICROSECOND, match[2]
    except OverflowError as error:
        raise bad_cursor() from error


class KeyRepository:
    """Reads and writes keys; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, key_id: str, *, lock: bool = False) -> ApiKey | None:
        """The key of this id, whatever its state, with its organization's state and plan.

        Args:
            key_id: Its id.
            lock: Nobody else may change it until the transaction ends.
        """
        query = _WITH_ORGANIZATION.where(ApiKeyRow.id == key_id)
        if lock:
            query = query.with_for_update(of=ApiKeyRow)
        row = (await self._session.execute(query)).first()
        return _to_model(row) if row else None

    async def list(
        self,
        limit: int,
        cursor: str | None = None,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
    ) -> Page[ApiKey]:
        """A page, newest first.

        Args:
            limit: Keys on the page.
            cursor: Where the last page ended.
            tenant_id: Only of this organization.
            user_id: Only of this owner.
        """
        query = _WITH_ORGANIZATION.order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id.desc()).limit(
            limit + 1
        )
        if tenant_id is not None:
            query = query.where(ApiKeyRow.tenant_id == tenant_id)
        if user_id is not None:
            query = query.where(ApiKeyRow.user_id == user_id)
        if cursor is not None:
            created_at, key_id = _position(cursor)
            query = query.where(
                or_(
                    ApiKeyRow.created_at < created_at,
                    (ApiKeyRow.created_at == created_at) & (ApiKeyRow.id < key_id),
                )
            )
        found = [_to_model(row) for row in await self._session.execute(query)]
        return make_page(found, limit, _cursor_of)

    async def unrevoked(
        self,
        *,
        tenant_id: str | None = None,
        user_id: str | None = None,
        plan_id: str | None = None,
    ) -> tuple[ApiKey, ...]:
        """Every key of an organization, an owner or a plan that caches may hold."""
        query = _WITH_ORGANIZATION.where(ApiKeyRow.revoked_at.is_(None))
        if tenant_id is not None:
            query = query.where(ApiKeyRow.tenant_id == tenant_id)
        if user_id is not None:
            query = query.where(ApiKeyRow.user_id == user_id)
        if plan_id is not None:
            query = query.where(OrganizationRow.plan_id == plan_id)
        return tuple(_to_model(row) for row in await self._session.execute(query))

    async def add(self, key: ApiKey) -> None:
        """Store a new key."""
        self._session.add(
            ApiKeyRow(
                id=key.id,
                tenant_id=key.tenant_id,
                user_id=key.user_id,
                environment=key.environment,
                hmac=key.hmac,
                pepper_version=key.pepper_version,
                rotated_from=key.rotated_from,
                created_at=key.created_at,
                **_changeable(key),
            )
        )
        await self._session.flush()

    async def update(self, key: ApiKey) -> None:
        """Write what can change of a stored key."""
        await self._session.execute(
            update(ApiKeyRow).where(ApiKeyRow.id == key.id).values(**_changeable(key))
        )

    async def revoke(self, key_id: str, at: datetime) -> None:
        """Mark as revoked; an earlier revocation keeps its time."""
        await self._session.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    async def revoke_of(self, user_id: str, at: datetime) -> tuple[ApiKey, ...]:
        """Revoke all keys of an owner, and return them."""
        found = await self.unrevoked(user_id=user_id)
        await self._session.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.user_id == user_id, ApiKeyRow.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        return found

    async def narrow(
        self, user_id: str, narrowed: Callable[[frozenset[str]], frozenset[str]], at: datetime
    ) -> tuple[tuple[ApiKey, ...], tuple[ApiKey, ...]]:
        """Take scopes away from an owner's keys.

        Args:
            user_id: The owner.
            narrowed: What remains of a key's scopes.
            at: When keys that nothing remains to are revoked.

        Returns:
            The keys that have less now, and those that were revoked.
        """
        changed, revoked = [], []
        for key in await self.unrevoked(user_id=user_id):
            scopes = narrowed(key.scopes)
            if not scopes:
                await self.revoke(key.id, at)
                revoked.append(key)
            elif scopes != key.scopes:
                await self.update(replace(key, scopes=scopes))
                changed.append(key)
        return tuple(changed), tuple(revoked)

    async def record_use(self, used: Mapping[str, datetime]) -> None:
        """Write when keys were last used; never moves a time back."""
        rows: Sequence[dict[str, Any]] = [
            {"key_id": key_id, "used_at": at} for key_id, at in used.items()
        ]
        connection = await self._session.connection()
        await connection.execute(_LAST_USED, rows)


def _changeable(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "scopes": sorted(key.scopes),
        "models": None if key.models is None else sorted(key.models),
        "per_minute": key.limits.per_minute,
        "per_hour": key.limits.per_hour,
        "per_day": key.limits.per_day,
        "max_concurrent": key.limits.max_concurrent,
        "expires_at": key.expires_at,
    }
