"""Known speakers and their prototypes.

Each method is one transaction; every statement names the tenant.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.asr.db.tables import asr_speaker_prototypes as prototypes
from services.asr.db.tables import asr_speakers as speakers
from services.asr.exceptions import (
    last_prototype,
    speaker_not_found,
    too_many_prototypes,
    too_many_speakers,
)
from services.asr.models.speakers import Embedding, KnownSpeaker, SpeakerLimits, SpeakerPage
from services.asr.repositories.speaker_rows import (
    DETAILS,
    insert_speaker,
    locked,
    read_speaker,
    speaker_of,
    touch,
)
from services.asr.repositories.speaker_voices import SpeakerVoices
from shared.caller import Caller
from shared.db.transactions import reading, writing


class SpeakerRepository:
    """The known speakers of all tenants.

    Args:
        engine: The service's database.
        voices: Encrypts voices.
        limits: How many there may be.
    """

    def __init__(self, engine: AsyncEngine, voices: SpeakerVoices, limits: SpeakerLimits) -> None:
        self._engine = engine
        self._voices = voices
        self._limits = limits

    async def add(
        self, caller: Caller, name: str, voice: Embedding, speech_seconds: float
    ) -> KnownSpeaker:
        """A new speaker with one prototype.

        Raises:
            Conflict: The tenant has too many.
            Unavailable: The database does not answer, or no key is configured.
        """
        prototype = self._voices.sealed(caller.tenant_id, voice, speech_seconds)
        async with writing(self._engine) as connection:
            await self._room(connection, caller.tenant_id)
            row = await insert_speaker(connection, caller.tenant_id, caller.subject, name)
            await connection.execute(insert(prototypes).values(speaker_id=row["id"], **prototype))
        return speaker_of(row, [prototype])

    async def get(self, tenant_id: str, speaker_id: str) -> KnownSpeaker:
        """A speaker of a tenant.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        async with reading(self._engine) as connection:
            return await read_speaker(connection, tenant_id, speaker_id)

    async def list(self, tenant_id: str, limit: int, cursor: str | None) -> SpeakerPage:
        """A page, newest first.

        Raises:
            Unavailable: The database does not answer.
        """
        query = select(speakers).where(speakers.c.tenant_id == tenant_id)
        if cursor is not None:
            query = query.where(speakers.c.id < cursor)
        async with reading(self._engine) as connection:
            wanted = query.order_by(speakers.c.id.desc()).limit(limit + 1)
            rows = (await connection.execute(wanted)).mappings().all()
            page = rows[:limit]
            details = (
                select(*DETAILS)
                .where(prototypes.c.speaker_id.in_([row["id"] for row in page]))
                .order_by(prototypes.c.id)
            )
            own: dict[str, list[Mapping[str, Any]]] = {}
            for row in (await connection.execute(details)).mappings():
                own.setdefault(row["speaker_id"], []).append(dict(row))
        items = tuple(speaker_of(row, own.get(row["id"], [])) for row in page)
        return SpeakerPage(items, items[-1].id if len(rows) > limit else None)

    async def rename(self, tenant_id: str, speaker_id: str, name: str) -> KnownSpeaker:
        """The speaker by another name.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        async with writing(self._engine) as connection:
            await touch(connection, tenant_id, speaker_id, name=name)
            return await read_speaker(connection, tenant_id, speaker_id)

    async def delete(self, tenant_id: str, speaker_id: str) -> None:
        """Remove the speaker with all voices and their keys.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        async with writing(self._engine) as connection:
            await locked(connection, tenant_id, speaker_id)
            for table, column in ((prototypes, prototypes.c.speaker_id), (speakers, speakers.c.id)):
                await connection.execute(
                    delete(table).where(table.c.tenant_id == tenant_id, column == speaker_id)
                )

    async def add_prototype(
        self, tenant_id: str, speaker_id: str, voice: Embedding, speech_seconds: float
    ) -> KnownSpeaker:
        """The speaker with one more prototype.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Conflict: It has too many prototypes.
            Unavailable: The database does not answer, or no key is configured.
        """
        prototype = self._voices.sealed(tenant_id, voice, speech_seconds)
        async with writing(self._engine) as connection:
            await touch(connection, tenant_id, speaker_id)
            await connection.execute(insert(prototypes).values(speaker_id=speaker_id, **prototype))
            return await self._bounded(connection, tenant_id, speaker_id)

    async def delete_prototype(self, tenant_id: str, speaker_id: str, prototype_id: str) -> None:
        """Remove a prototype with its key.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Conflict: It is the speaker's last one.
            Unavailable: The database does not answer.
        """
        async with writing(self._engine) as connection:
            await touch(connection, tenant_id, speaker_id)
            speaker = await read_speaker(connection, tenant_id, speaker_id)
            if prototype_id not in {one.id for one in speaker.prototypes}:
                raise speaker_not_found("prototype")
            if len(speaker.prototypes) == 1:
                raise last_prototype()
            await connection.execute(
                delete(prototypes).where(
                    prototypes.c.tenant_id == tenant_id, prototypes.c.id == prototype_id
                )
            )

    async def merge(self, tenant_id: str, speaker_id: str, other_id: str) -> KnownSpeaker:
        """The speaker with the prototypes of another one, who is no more.

        Raises:
            NotFound: One of both is not there, or is another tenant's.
            Conflict: The prototypes are too many.
            Unavailable: The database does not answer.
        """
        async with writing(self._engine) as connection:
            # In one order, so that two merges of the same speakers cannot block each other.
            for one in sorted((speaker_id, other_id)):
                await locked(connection, tenant_id, one)
            await touch(connection, tenant_id, speaker_id)
            await connection.execute(
                update(prototypes)
                .where(prototypes.c.tenant_id == tenant_id, prototypes.c.speaker_id == other_id)
                .values(speaker_id=speaker_id)
            )
            await connection.execute(
                delete(speakers).where(speakers.c.tenant_id == tenant_id, speakers.c.id == other_id)
            )
            return await self._bounded(connection, tenant_id, speaker_id)

    async def split(
        self, caller: Caller, speaker_id: str, prototype_ids: Sequence[str], name: str
    ) -> KnownSpeaker:
        """A new speaker who takes some prototypes of another one, under the same consent.

        Raises:
            NotFound: The speaker or a prototype is not there, or is another tenant's.
            Conflict: No prototype would be left, or the tenant has too many speakers.
            Unavailable: The database does not answer.
        """
        tenant_id = caller.tenant_id
        async with writing(self._engine) as connection:
            await touch(connection, tenant_id, speaker_id)
            speaker = await read_speaker(connection, tenant_id, speaker_id)
            own = {one.id for one in speaker.prototypes}
            if not set(prototype_ids) <= own:
                raise speaker_not_found("prototype")
            if own <= set(prototype_ids):
                raise last_prototype()
            await self._room(connection, tenant_id)
            row = await insert_speaker(
                connection, tenant_id, caller.subject, name, consent_at=speaker.consent_at
            )
            await connection.execute(
                update(prototypes)
                .where(
                    prototypes.c.tenant_id == tenant_id,
                    prototypes.c.speaker_id == speaker_id,
                    prototypes.c.id.in_(list(prototype_ids)),
                )
                .values(speaker_id=row["id"])
            )
            return await read_speaker(connection, tenant_id, row["id"])

    async def _room(self, connection: AsyncConnection, tenant_id: str) -> None:
        count = select(func.count()).where(speakers.c.tenant_id == tenant_id)
        if (await connection.scalar(count) or 0) >= self._limits.speakers:
            raise too_many_speakers(self._limits.speakers)

    async def _bounded(
        self, connection: AsyncConnection, tenant_id: str, speaker_id: str
    ) -> KnownSpeaker:
        """The speaker after it got prototypes; refused, and undone, if they are too many."""
        speaker = await read_speaker(connection, tenant_id, speaker_id)
        if len(speaker.prototypes) > self._limits.prototypes:
            raise too_many_prototypes(self._limits.prototypes)
        return speaker
