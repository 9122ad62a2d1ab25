"""What the repositories of known speakers share: rows, and the locks on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.asr.db.tables import asr_speaker_prototypes as prototypes
from services.asr.db.tables import asr_speakers as speakers
from services.asr.exceptions import speaker_not_found
from services.asr.models.speakers import KnownSpeaker, Prototype
from shared.db.base import new_id, utc_now

DETAILS = (
    prototypes.c.id,
    prototypes.c.speaker_id,
    prototypes.c.created_at,
    prototypes.c.speech_seconds,
)
"""What is told of a prototype: all but its voice."""


async def insert_speaker(
    connection: AsyncConnection,
    tenant_id: str,
    subject: str,
    name: str,
    *,
    consent_at: datetime | None = None,
) -> Mapping[str, Any]:
    """A new speaker's row; the consent is given now unless it was before."""
    now = utc_now()
    row = {
        "id": new_id(),
        "tenant_id": tenant_id,
        "subject": subject,
        "name": name,
        "consent_at": consent_at or now,
        "created_at": now,
        "updated_at": now,
    }
    await connection.execute(insert(speakers).values(**row))
    return row


async def locked(connection: AsyncConnection, tenant_id: str, speaker_id: str) -> None:
    """Keep others from changing the speaker until the transaction ends.

    Raises:
        NotFound: There is none, or it is another tenant's.
    """
    # SQLite has no row locks and needs none: it has one writer at a time.
    query = (
        select(speakers.c.id)
        .where(speakers.c.tenant_id == tenant_id, speakers.c.id == speaker_id)
        .with_for_update()
    )
    if await connection.scalar(query) is None:
        raise speaker_not_found()


async def touch(
    connection: AsyncConnection, tenant_id: str, speaker_id: str, **changes: Any
) -> None:
    """Note that the speaker changes now; others wait until the transaction ends.

    Raises:
        NotFound: There is none, or it is another tenant's.
    """
    statement = (
        update(speakers)
        .where(speakers.c.tenant_id == tenant_id, speakers.c.id == speaker_id)
        .values(updated_at=utc_now(), **changes)
    )
    if (await connection.execute(statement)).rowcount == 0:
        raise speaker_not_found()


async def read_speaker(
    connection: AsyncConnection, tenant_id: str, speaker_id: str
) -> KnownSpeaker:
    """A speaker with its prototypes.

    Raises:
        NotFound: There is none, or it is another tenant's.
    """
    wanted = select(speakers).where(speakers.c.tenant_id == tenant_id, speakers.c.id == speaker_id)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    if row is None:
        raise speaker_not_found()
    details = (
        select(*DETAILS)
        .where(prototypes.c.tenant_id == tenant_id, prototypes.c.speaker_id == speaker_id)
        .order_by(prototypes.c.id)
    )
    return speaker_of(row, [dict(one) for one in (await connection.execute(details)).mappings()])


def speaker_of(row: Mapping[Any, Any], own: Sequence[Mapping[str, Any]]) -> KnownSpeaker:
    """The model of a speaker's row and those of its prototypes."""
    return KnownSpeaker(
        id=row["id"],
        name=row["name"],
        consent_at=row["consent_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        prototypes=tuple(
            Prototype(one["id"], one["created_at"], one["speech_seconds"]) for one in own
        ),
    )
