"""What Redis and the database know of API keys, and how long each may be believed."""

import asyncio
import contextlib
import time

from gateway.db.dependency import Dependency
from gateway.exceptions import DatabaseUnreachable, RedisUnavailable
from gateway.models.keys import ApiKey
from gateway.models.principal import KeyRecord
from gateway.repositories.key_cache import Found, RedisKeyCache
from gateway.repositories.store import Database
from gateway.services.hashing import KeyHasher

OUTAGE_GRACE_S = 60.0
"""How long a record may be believed without the database."""
DATABASE_TIMEOUT_S = 2.0


class KeyRecords:
    """Reads records of keys behind this process's own memory.

    Args:
        database: The truth.
        database_state: Whether the database answers.
        cache: Shared between gateways; None in the embedded stack.
        hasher: Peppers.
    """

    def __init__(
        self,
        database: Database,
        database_state: Dependency,
        cache: RedisKeyCache | None,
        hasher: KeyHasher,
    ) -> None:
        self._database = database
        self._state = database_state
        self._cache = cache
        self._hasher = hasher

    @property
    def in_grace(self) -> bool:
        """Whether the database answers, or has been down for so short a time that caches hold."""
        return self._state.down_for_s() <= OUTAGE_GRACE_S

    def believable(self, record: KeyRecord | None) -> bool:
        """Whether a cached record may be used without the database."""
        if record is None:
            return True
        if not self._state.up:
            return self.in_grace
        return time.time() - record.verified_at <= OUTAGE_GRACE_S

    async def ask_redis(self, fingerprint: str, key_id: str) -> Found | None:
        """What Redis knows; None when nothing, or when it does not answer."""
        if self._cache is None:
            return None
        try:
            return await self._cache.get(fingerprint, key_id)
        except RedisUnavailable:
            return None

    async def ask_database(self, key: str, key_id: str) -> KeyRecord | None:
        """The truth about a key; None when it does not exist or its secret is wrong.

        Raises:
            DatabaseUnreachable: Or too slow.
        """
        stored = await self.read(key_id)
        hmac, version = (stored.hmac, stored.pepper_version) if stored else (None, None)
        matches = self._hasher.matches(key, hmac, version)
        return KeyRecord.from_key(stored, time.time()) if stored and matches else None

    async def read(self, key_id: str) -> ApiKey | None:
        """A key by its id.

        Raises:
            DatabaseUnreachable: Or too slow.
        """
        if not self._state.up:
            raise DatabaseUnreachable
        try:
            async with (
                asyncio.timeout(DATABASE_TIMEOUT_S),
                self._database.transaction(read_only=True) as store,
            ):
                stored = await store.keys.find(key_id)
        except (DatabaseUnreachable, TimeoutError) as error:
            self._state.failed(error)
            raise DatabaseUnreachable from error
        self._state.succeeded()
        return stored

    async def share(self, fingerprint: str, key_id: str, record: KeyRecord | None) -> None:
        """Put an answer of the database into the shared cache."""
        if self._cache is None:
            return
        with contextlib.suppress(RedisUnavailable):  # The next lookup asks the database again.
            if record is not None and record.revoked:
                await self._cache.invalidate(fingerprint, key_id)
            else:
                await self._cache.put(fingerprint, key_id, record)
