"""The voices of known speakers: in the clear outside, encrypted at rest."""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.asr.db.tables import asr_speaker_prototypes as prototypes
from services.asr.db.tables import asr_speakers as speakers
from services.asr.exceptions import encryption_unconfigured
from services.asr.models.speakers import Embedding, KnownVoices
from shared.crypto.envelope import DataCorrupted, Place, Sealed, Vault
from shared.db.base import new_id, utc_now
from shared.db.transactions import reading, writing
from shared.logging import get_logger
from shared.problem import SpeechgateError

_logger = get_logger(__name__)
_STORED = np.dtype("<f4")
_DIGITS = 3


class SpeakerVoices:
    """Encrypts, reads and re-wraps voices.

    Args:
        engine: The service's database.
        vault: Encrypts; None where no key is configured: then no voice is stored or read.
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

    def sealed(self, tenant_id: str, voice: Embedding, speech_seconds: float) -> dict[str, Any]:
        """A new prototype's row, but for its speaker.

        Raises:
            Unavailable: No key is configured.
        """
        prototype_id = new_id()
        content = voice.astype(_STORED).tobytes()
        sealed = self.require_key().seal(content, _place(tenant_id, prototype_id))
        return {
            "id": prototype_id,
            "tenant_id": tenant_id,
            "created_at": utc_now(),
            "speech_seconds": round(speech_seconds, _DIGITS),
            "key_id": sealed.key_id,
            "wrapped_key": sealed.wrapped_key,
            "ciphertext": sealed.ciphertext,
        }

    async def read(self, tenant_id: str, speaker_id: str | None = None) -> KnownVoices:
        """The voices of a tenant, or of one of its speakers.

        Raises:
            DataKeyMissing: A voice's root key is gone.
            DataCorrupted: A voice was altered.
            Unavailable: The database does not answer, or no key is configured.
        """
        vault = self.require_key()
        query = (
            select(prototypes, speakers.c.name)
            .join(speakers, speakers.c.id == prototypes.c.speaker_id)
            .where(speakers.c.tenant_id == tenant_id, prototypes.c.tenant_id == tenant_id)
            .order_by(prototypes.c.id)
        )
        if speaker_id is not None:
            query = query.where(speakers.c.id == speaker_id)
        async with reading(self._engine) as connection:
            rows = [dict(row) for row in (await connection.execute(query)).mappings()]
        # In a thread: ten thousand voices take a tenth of a second.
        opened = await asyncio.to_thread(lambda: [_opened(vault, row) for row in rows])
        return KnownVoices(
            ids=tuple(row["speaker_id"] for row in rows),
            names=tuple(row["name"] for row in rows),
            vectors=np.stack(opened) if opened else np.zeros((0, 0), np.float32),
        )

    async def rewrap(self, limit: int = 500) -> int:
        """Wrap the keys of voices by the current root key; how many were, at most `limit`.

        Raises:
            DataKeyMissing: A voice's root key is gone.
            DataCorrupted: A wrapped key was altered.
            Unavailable: The database does not answer, or no key is configured.
        """
        vault = self.require_key()
        query = (
            select(prototypes)
            .where(prototypes.c.key_id != vault.current)
            .limit(limit)
            .with_for_update()
        )
        async with writing(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
            for row in rows:
                sealed = vault.rewrap(_sealed(row), _place(row["tenant_id"], row["id"]))
                await connection.execute(
                    update(prototypes)
                    .where(prototypes.c.id == row["id"])
                    .values(key_id=sealed.key_id, wrapped_key=sealed.wrapped_key)
                )
        return len(rows)


def _place(tenant_id: str, prototype_id: str) -> Place:
    return Place(tenant_id, "speaker_prototype", prototype_id, "voice")


def _sealed(row: Mapping[Any, Any]) -> Sealed:
    return Sealed(row["key_id"], bytes(row["wrapped_key"]), bytes(row["ciphertext"]))


def _opened(vault: Vault, row: Mapping[str, Any]) -> Embedding:
    try:
        content = vault.open(_sealed(row), _place(row["tenant_id"], row["id"]))
        if not content or len(content) % _STORED.itemsize:
            raise DataCorrupted
    except SpeechgateError as error:
        _logger.error(
            "a stored voice cannot be read",
            code=error.code,
            tenant=row["tenant_id"],
            prototype=row["id"],
            key=row["key_id"],
        )
        raise
    return np.frombuffer(content, _STORED).astype(np.float32)
