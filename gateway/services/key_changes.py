"""Tells the caches of all gateways about keys, after the database was changed."""

from collections.abc import Callable, Iterable, Sequence

from gateway.exceptions import RedisUnavailable
from gateway.models.keys import ApiKey
from gateway.repositories.key_cache import RedisKeyCache


class KeyAnnouncer:
    """Announces changes of keys.

    Without Redis, or while it is down, the caches find out by themselves.

    Args:
        cache: Shared between gateways; None in the embedded stack.
        current_pepper: Version under which caches know keys.
        forget: Told the ids of keys that this process must read again.
    """

    def __init__(
        self,
        cache: RedisKeyCache | None,
        current_pepper: int,
        forget: Callable[[str], None] | None = None,
    ) -> None:
        self._cache = cache
        self._current_pepper = current_pepper
        self._forget = forget

    async def revoked(self, keys: Iterable[ApiKey]) -> bool:
        """Let keys be refused everywhere; whether every cache was told."""
        found = self._forgotten(keys)
        if self._cache is None:
            return False
        try:
            for key in found:
                await self._cache.invalidate(key.hmac.hex(), key.id)
        except RedisUnavailable:
            return False
        return True

    async def changed(self, keys: Iterable[ApiKey]) -> bool:
        """Let keys be read again everywhere; whether every cache was told."""
        found = self._forgotten(keys)
        if self._cache is None:
            return False
        current: list[ApiKey] = []
        older: list[ApiKey] = []
        for key in found:
            (current if key.pepper_version == self._current_pepper else older).append(key)
        try:
            await self._cache.announce([(key.hmac.hex(), key.id) for key in current])
        except RedisUnavailable:
            return False
        # Their entries have names that are not known here; a tombstone outlives them.
        return await self.revoked(older)

    def _forgotten(self, keys: Iterable[ApiKey]) -> Sequence[ApiKey]:
        found = list(keys)
        if self._forget is not None:
            for key in found:
                self._forget(key.id)
        return found
