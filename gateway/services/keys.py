"""Creating, listing and revoking API keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from gateway.exceptions import RedisUnavailable
from gateway.models.keys import ApiKey, Environment, KeyLimits, generate_key
from gateway.repositories.key_cache import RedisKeyCache
from gateway.repositories.store import Database
from gateway.services.hashing import KeyHasher
from shared.db.base import utc_now
from shared.problem import NotFound


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation reached.

    Attributes:
        announced: Caches were told; otherwise they find out by themselves.
    """

    key: ApiKey
    announced: bool


class KeyService:
    """Manages keys.

    Args:
        database: Where keys live.
        hasher: Peppers.
        cache: Told of revocations; None without Redis.
    """

    def __init__(
        self, database: Database, hasher: KeyHasher, cache: RedisKeyCache | None = None
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._cache = cache

    async def create(
        self,
        *,
        tenant: str,
        name: str,
        scopes: Iterable[str],
        limits: KeyLimits,
        expires_in: timedelta | None = None,
        environment: Environment = "live",
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is nowhere else and cannot be had again.

        Args:
            tenant: Name of the organization; made when absent.
            name: For people.
            scopes: What the key may do.
            limits: Its own quotas.
            expires_in: Its life; None is endless.
            environment: Part of the key's prefix.
        """
        text, key_id = generate_key(environment)
        now = utc_now()
        async with self._database.transaction() as store:
            key = ApiKey(
                id=key_id,
                tenant_id=await store.organizations.ensure(tenant),
                tenant_name=tenant,
                name=name,
                environment=environment,
                hmac=self._hasher.digest(text),
                pepper_version=self._hasher.current,
                scopes=frozenset(scopes),
                limits=limits,
                created_at=now,
                expires_at=now + expires_in if expires_in else None,
                revoked_at=None,
                last_used_at=None,
            )
            await store.keys.add(key)
        return key, text

    async def list_all(self) -> list[ApiKey]:
        """Every key, newest first."""
        async with self._database.transaction(read_only=True) as store:
            return await store.keys.list_all()

    async def revoke(self, key_id: str) -> Revocation:
        """Revoke a key: first in the database, then in every cache.

        Raises:
            NotFound: No such key.
        """
        async with self._database.transaction() as store:
            await store.keys.revoke(key_id, utc_now())
            key = await store.keys.find(key_id)
        if key is None:
            raise NotFound("There is no key of this id.")
        announced = False
        if self._cache is not None:
            try:
                await self._cache.invalidate(key.hmac.hex(), key.id)
                announced = True
            except RedisUnavailable:
                pass
        return Revocation(key, announced)
