"""Logins and their refresh tokens in the database."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.db.tables import RefreshTokenRow, SessionRow
from gateway.models.sessions import Session

_PRUNE = 200
_LISTED = 100


def _to_model(row: SessionRow) -> Session:
    return Session(
        row.id,
        row.user_id,
        row.user_agent,
        row.created_at,
        row.last_used_at,
        row.expires_at,
        row.revoked_at,
        row.revoked_because,
    )


class SessionRepository:
    """Reads and writes sessions; commits nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, session_id: str) -> Session | None:
        """The session of this id, whatever its state."""
        row = await self._session.scalar(
            select(SessionRow)
            .where(SessionRow.id == session_id)
            .execution_options(populate_existing=True)
        )
        return _to_model(row) if row is not None else None

    async def find_by_token(self, hmac: bytes) -> Session | None:
        """The session of a refresh token, used or not."""
        row = await self._session.scalar(
            select(SessionRow)
            .join(RefreshTokenRow, RefreshTokenRow.session_id == SessionRow.id)
            .where(RefreshTokenRow.hmac == hmac)
            .execution_options(populate_existing=True)
        )
        return _to_model(row) if row is not None else None

    async def list_live(self, user_id: str, now: datetime) -> list[Session]:
        """A user's sessions that are neither revoked nor expired, newest first."""
        rows = await self._session.scalars(
            select(SessionRow)
            .where(
                SessionRow.user_id == user_id,
                SessionRow.revoked_at.is_(None),
                SessionRow.expires_at > now,
            )
            .order_by(SessionRow.id.desc())
            .limit(_LISTED)
        )
        return [_to_model(row) for row in rows]

    async def add(self, session: Session) -> None:
        """Store a new session."""
        self._session.add(
            SessionRow(
                id=session.id,
                user_id=session.user_id,
                user_agent=session.user_agent,
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                expires_at=session.expires_at,
            )
        )
        await self._session.flush()

    async def add_token(self, session_id: str, hmac: bytes, at: datetime) -> None:
        """Store a refresh token."""
        self._session.add(RefreshTokenRow(hmac=hmac, session_id=session_id, issued_at=at))
        await self._session.flush()

    async def use_token(self, hmac: bytes, at: datetime) -> bool:
        """Mark a refresh token as used; False when it was already: of many at once, one wins."""
        result = await self._session.execute(
            update(RefreshTokenRow)
            .where(RefreshTokenRow.hmac == hmac, RefreshTokenRow.used_at.is_(None))
            .values(used_at=at)
        )
        return isinstance(result, CursorResult) and result.rowcount == 1

    async def extend(self, session_id: str, at: datetime, expires_at: datetime) -> None:
        """The session was used."""
        await self._session.execute(
            update(SessionRow)
            .where(SessionRow.id == session_id)
            .values(last_used_at=at, expires_at=expires_at)
        )

    async def revoke(self, session_id: str, at: datetime, because: str) -> None:
        """End a session; an earlier end keeps its time and reason."""
        await self._session.execute(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.revoked_at.is_(None))
            .values(revoked_at=at, revoked_because=because)
        )

    async def revoke_others(
        self, user_id: str, kept: str | None, at: datetime, because: str
    ) -> None:
        """End a user's sessions but one."""
        await self._session.execute(
            update(SessionRow)
            .where(
                SessionRow.user_id == user_id,
                SessionRow.id != (kept or ""),
                SessionRow.revoked_at.is_(None),
            )
            .values(revoked_at=at, revoked_because=because)
        )

    async def prune(self, before: datetime) -> None:
        """Delete some sessions that ended long ago, and their tokens."""
        old = await self._session.scalars(
            select(SessionRow.id).where(SessionRow.expires_at < before).limit(_PRUNE)
        )
        ids = list(old)
        if ids:
            await self._session.execute(delete(SessionRow).where(SessionRow.id.in_(ids)))
