"""Kept recordings of calls: encrypted part by part, bounded by age and by bytes of a tenant."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.asr.db.tables import asr_recording_chunks as chunks
from services.asr.db.tables import asr_recordings as recordings
from services.asr.exceptions import (
    encryption_unconfigured,
    recording_not_found,
    recording_too_large,
)
from services.asr.models.calls import KeepingRules, KeptRecording
from shared.crypto.chunks import ChunkCipher
from shared.crypto.envelope import Place, Sealed, Vault
from shared.db.base import utc_now
from shared.db.transactions import reading, writing

_ROWS_AT_ONCE = 32


class RecordingRepository:
    """Stores recordings.

    Args:
        engine: The service's database.
        vault: Encrypts; None where no key is configured: then nothing is kept or read.
    """

    def __init__(self, engine: AsyncEngine, vault: Vault | None) -> None:
        self._engine = engine
        self._vault = vault

    def require_key(self) -> Vault:
        """The vault.

        Raises:
            Unavailable: No key is configured.
        """
        if self._vault is None:
            raise encryption_unconfigured()
        return self._vault

    async def add(
        self,
        tenant_id: str,
        recording_id: str,
        samples: int,
        pieces: Sequence[bytes],
        rules: KeepingRules,
    ) -> KeptRecording:
        """Store a recording; the tenant's oldest ones make room for it.

        Args:
            tenant_id: Whose it is.
            recording_id: Unique.
            samples: Its length.
            pieces: Its parts, in order.
            rules: How long it is kept, and how much.

        Raises:
            Unavailable: No key is configured, or the database does not answer.
            PayloadTooLarge: It is larger than all that the tenant may keep.
        """
        sealed, encrypted = await asyncio.to_thread(self._seal, tenant_id, recording_id, pieces)
        size = sum(map(len, encrypted))
        if size > rules.tenant_bytes or rules.life is None:
            raise recording_too_large()
        now = utc_now()
        row = {
            "id": recording_id,
            "tenant_id": tenant_id,
            "created_at": now,
            "expires_at": now + rules.life,
            "samples": samples,
            "chunks": len(encrypted),
            "size": size,
            "key_id": sealed.key_id,
            "wrapped_key": sealed.wrapped_key,
        }
        parts = [
            {"recording_id": recording_id, "position": position, "ciphertext": content}
            for position, content in enumerate(encrypted)
        ]
        async with writing(self._engine) as connection:
            await connection.execute(insert(recordings).values(**row))
            for start in range(0, len(parts), _ROWS_AT_ONCE):
                await connection.execute(insert(chunks), parts[start : start + _ROWS_AT_ONCE])
            await _make_room(connection, tenant_id, rules.tenant_bytes)
        return _recording(row)

    async def find(self, tenant_id: str, recording_id: str) -> KeptRecording | None:
        """A recording of a tenant that has not expired.

        Raises:
            Unavailable: The database does not answer.
        """
        async with reading(self._engine) as connection:
            row = await _row(connection, tenant_id, recording_id)
        return None if row is None else _recording(row)

    async def read(self, tenant_id: str, recording_id: str, first: int, last: int) -> list[bytes]:
        """Parts `first` to `last` (inclusive) of a recording.

        Raises:
            NotFound: There is none, or it is another tenant's, or it has expired.
            DataKeyMissing: Its root key is gone.
            DataCorrupted: It was altered.
            Unavailable: The database does not answer, or no key is configured.
        """
        vault = self.require_key()
        wanted = (
            select(chunks.c.position, chunks.c.ciphertext)
            .where(chunks.c.recording_id == recording_id)
            .where(chunks.c.position.between(first, last))
            .order_by(chunks.c.position)
        )
        async with reading(self._engine) as connection:
            row = await _row(connection, tenant_id, recording_id)
            if row is None:
                raise recording_not_found()
            found = (await connection.execute(wanted)).all()
        if [position for position, _ in found] != list(range(first, last + 1)):
            raise recording_not_found()  # Deleted in this moment.

        def opened() -> list[bytes]:
            place = _place(tenant_id, recording_id)
            cipher = ChunkCipher(vault.open_key(_sealed(row), place), place)
            end = row["chunks"] - 1
            return [
                cipher.open(position, bytes(content), final=position == end)
                for position, content in found
            ]

        return await asyncio.to_thread(opened)

    async def delete(self, tenant_id: str, recording_id: str) -> bool:
        """Remove a recording and its key for good; whether there was one.

        Raises:
            Unavailable: The database does not answer.
        """
        statement = delete(recordings).where(
            recordings.c.tenant_id == tenant_id, recordings.c.id == recording_id
        )
        async with writing(self._engine) as connection:
            return (await connection.execute(statement)).rowcount > 0

    async def prune(self, before: datetime, most: int) -> int:
        """Delete some of those that expired before a moment; how many.

        Raises:
            Unavailable: The database does not answer.
        """
        old = select(recordings.c.id).where(recordings.c.expires_at < before).limit(most)
        async with writing(self._engine) as connection:
            return (
                await connection.execute(delete(recordings).where(recordings.c.id.in_(old)))
            ).rowcount

    async def rewrap(self, limit: int = 500) -> int:
        """Wrap the keys of recordings by the current root key; how many were, at most `limit`.

        Raises:
            DataKeyMissing: A recording's root key is gone.
            DataCorrupted: A wrapped key was altered.
            Unavailable: The database does not answer, or no key is configured.
        """
        vault = self.require_key()
        query = (
            select(recordings)
            .where(recordings.c.key_id != vault.current)
            .limit(limit)
            .with_for_update()
        )
        async with writing(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
            for row in rows:
                sealed = vault.rewrap(_sealed(row), _place(row["tenant_id"], row["id"]))
                await connection.execute(
                    update(recordings)
                    .where(recordings.c.id == row["id"])
                    .values(key_id=sealed.key_id, wrapped_key=sealed.wrapped_key)
                )
        return len(rows)

    def _seal(
        self, tenant_id: str, recording_id: str, pieces: Sequence[bytes]
    ) -> tuple[Sealed, list[bytes]]:
        place = _place(tenant_id, recording_id)
        sealed, key = self.require_key().new_key(place)
        cipher, end = ChunkCipher(key, place), len(pieces) - 1
        return sealed, [
            cipher.seal(index, piece, final=index == end) for index, piece in enumerate(pieces)
        ]


async def _make_room(connection: AsyncConnection, tenant_id: str, most: int) -> None:
    """Delete the tenant's oldest recordings while all together are too large."""
    # Not by id: that is of the request's begin, and a long one is stored after later ones.
    by_age = (recordings.c.created_at.desc(), recordings.c.id.desc())
    newer = func.sum(recordings.c.size).over(order_by=by_age)
    totals = (
        select(recordings.c.id, newer.label("total"))
        .where(recordings.c.tenant_id == tenant_id)
        .subquery()
    )
    too_much = select(totals.c.id).where(totals.c.total > most)
    await connection.execute(delete(recordings).where(recordings.c.id.in_(too_much)))


async def _row(
    connection: AsyncConnection, tenant_id: str, recording_id: str
) -> Mapping[str, Any] | None:
    query = select(recordings).where(
        recordings.c.tenant_id == tenant_id,
        recordings.c.id == recording_id,
        recordings.c.expires_at > utc_now(),
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else dict(row)


def _place(tenant_id: str, recording_id: str) -> Place:
    return Place(tenant_id, "recording", recording_id, "audio")


def _sealed(row: Mapping[Any, Any]) -> Sealed:
    return Sealed(row["key_id"], bytes(row["wrapped_key"]), b"")


def _recording(row: Mapping[str, Any]) -> KeptRecording:
    return KeptRecording(
        id=row["id"],
        samples=row["samples"],
        size=row["size"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
