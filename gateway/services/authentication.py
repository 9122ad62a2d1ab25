"""From a credential to a principal: this process's memory, then Redis, then the database.

| asked | believed for | then |
|---|---|---|
| this process | 2 s | Redis (full stack) or the database (embedded) |
| Redis | 60 s | the database, asked behind the request from 45 s on |
| the database | | |

A revocation therefore holds everywhere within 2 s, and within 60 s where Redis missed it. While
the database is down, what any cache knows is used for up to 60 s; other keys get 503, never 401.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from prometheus_client import Counter

from gateway.db.dependency import Dependency
from gateway.exceptions import (
    AuthUnavailable,
    CredentialRefused,
    DatabaseUnreachable,
    RedisUnavailable,
)
from gateway.models.keys import key_id_of
from gateway.models.limits import Policy, make_policy
from gateway.models.principal import KeyRecord, Principal
from gateway.repositories.key_cache import Found, RedisKeyCache
from gateway.repositories.local_keys import LocalKeys, Remembered
from gateway.repositories.store import Database
from gateway.services.hashing import KeyHasher
from shared.identity import Identity
from shared.metrics import Metrics

VERIFY_AFTER_S = 45.0
"""Age at which a cached record is verified again, so that none is believed beyond 60 s."""
OUTAGE_GRACE_S = 60.0
DATABASE_TIMEOUT_S = 2.0


class UsageSink(Protocol):
    """Notes that a key was used; never waits."""

    def touch(self, key_id: str) -> None:
        """The key was used now."""


class Authenticator:
    """Checks API keys.

    Args:
        database: The truth.
        database_state: Whether the database answers.
        cache: Shared between gateways; None in the embedded stack.
        hasher: Peppers.
        usage: Where `last_used_at` is collected.
        default_policy: Quotas of a key that has none of its own.
        metrics: Where lookups are counted.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        database: Database,
        database_state: Dependency,
        cache: RedisKeyCache | None,
        hasher: KeyHasher,
        usage: UsageSink,
        default_policy: Policy,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._database_state = database_state
        self._cache = cache
        self._hasher = hasher
        self._usage = usage
        self._default_policy = default_policy
        self._clock = clock
        self._local = LocalKeys()
        self._lookups: dict[str, asyncio.Task[Remembered]] = {}
        self._verifications: dict[str, asyncio.Task[None]] = {}
        counter = Counter(
            "speechgate_key_lookups",
            "Key checks by where the answer came from",
            ["source"],
            registry=metrics.registry,
        )
        self._from_process = counter.labels("process")
        self._from_redis = counter.labels("redis")
        self._from_database = counter.labels("database")
        self._from_stale = counter.labels("stale")
        self._refused = counter.labels("refused_offline")
        self._unavailable = counter.labels("unavailable")

    async def authenticate(self, key: str) -> Principal:
        """The principal of a key.

        Raises:
            CredentialRefused: Codes `key_malformed`, `key_unknown`, `key_revoked`, `key_expired`.
            AuthUnavailable: Nothing that answers knows the key.
        """
        try:
            key_id = key_id_of(key)
        except CredentialRefused:
            self._refused.inc()
            raise
        fingerprint = self._hasher.digest(key).hex()
        found = self._local.fresh(fingerprint, self._clock())
        if found is None:
            found = await self._shared_lookup(key, key_id, fingerprint)
        else:
            self._from_process.inc()
        principal = self._accept(found)
        self._usage.touch(key_id)
        return principal

    def invalidate(self, key_id: str | None) -> None:
        """Forget a key in this process; None when any number of invalidations may be missed."""
        if key_id is None:
            self._local.expire_all(self._clock())
        else:
            self._local.invalidate(key_id, self._clock())

    async def require_database(self) -> None:
        """Raise when the database has been down for so long that no key is believed."""
        if not self._in_grace():
            raise DatabaseUnreachable

    async def close(self) -> None:
        """End what still runs behind requests."""
        tasks = [*self._lookups.values(), *self._verifications.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    def _accept(found: Remembered) -> Principal:
        record, principal = found.record, found.principal
        if record is None or principal is None:
            raise CredentialRefused("This API key does not exist.", code="key_unknown")
        if record.revoked:
            raise CredentialRefused("This API key was revoked.", code="key_revoked")
        if record.expires_at is not None and record.expires_at <= time.time():
            raise CredentialRefused("This API key has expired.", code="key_expired")
        return principal

    async def _shared_lookup(self, key: str, key_id: str, fingerprint: str) -> Remembered:
        """One lookup for all requests that wait for the same key."""
        task = self._lookups.get(fingerprint)
        if task is None:
            task = asyncio.create_task(self._look_up(key, key_id, fingerprint))
            self._lookups[fingerprint] = task
            task.add_done_callback(lambda _: self._lookups.pop(fingerprint, None))
        # Shielded: one client that leaves must not cancel the others' lookup.
        return await asyncio.shield(task)

    async def _look_up(self, key: str, key_id: str, fingerprint: str) -> Remembered:
        started = self._clock()
        cached = await self._ask_redis(fingerprint, key_id)
        if cached is not None and self._believable(cached.record):
            self._from_redis.inc()
            if cached.record and time.time() - cached.record.verified_at > VERIFY_AFTER_S:
                self._verify_behind(key, key_id, fingerprint)
            return self._remember(fingerprint, key_id, cached.record, started)
        try:
            record = await self._ask_database(key, key_id)
        except DatabaseUnreachable:
            if cached is not None and cached.record and self._in_grace():
                self._from_stale.inc()
                return self._remember(fingerprint, key_id, cached.record, started)
            return self._stale_or_refuse(fingerprint)
        self._from_database.inc()
        await self._share(fingerprint, key_id, record)
        return self._remember(fingerprint, key_id, record, started)

    def _in_grace(self) -> bool:
        return self._database_state.down_for_s() <= OUTAGE_GRACE_S

    def _believable(self, record: KeyRecord | None) -> bool:
        """Whether a cached record may be used without the database."""
        if record is None:
            return True
        if not self._database_state.up:
            return self._in_grace()
        return time.time() - record.verified_at <= OUTAGE_GRACE_S

    def _stale_or_refuse(self, fingerprint: str) -> Remembered:
        entry = self._local.stale(fingerprint)
        if entry is None or entry.record is None or not self._in_grace():
            self._unavailable.inc()
            raise AuthUnavailable("The API key cannot be checked at the moment.", retry_after_s=5)
        self._from_stale.inc()
        return entry

    async def _ask_redis(self, fingerprint: str, key_id: str) -> Found | None:
        if self._cache is None:
            return None
        try:
            return await self._cache.get(fingerprint, key_id)
        except RedisUnavailable:
            return None

    async def _ask_database(self, key: str, key_id: str) -> KeyRecord | None:
        """The truth about a key; None when it does not exist or its secret is wrong."""
        if not self._database_state.up:
            raise DatabaseUnreachable
        try:
            async with (
                asyncio.timeout(DATABASE_TIMEOUT_S),
                self._database.transaction(read_only=True) as store,
            ):
                stored = await store.keys.find(key_id)
        except (DatabaseUnreachable, TimeoutError) as error:
            self._database_state.failed(error)
            raise DatabaseUnreachable from error
        self._database_state.succeeded()
        hmac, version = (stored.hmac, stored.pepper_version) if stored else (None, None)
        matches = self._hasher.matches(key, hmac, version)
        return KeyRecord.from_key(stored, time.time()) if stored and matches else None

    async def _share(self, fingerprint: str, key_id: str, record: KeyRecord | None) -> None:
        """Put an answer of the database into the shared cache."""
        if self._cache is None:
            return
        with contextlib.suppress(RedisUnavailable):  # The next lookup asks the database again.
            if record is not None and record.revoked:
                await self._cache.invalidate(fingerprint, key_id)
            else:
                await self._cache.put(fingerprint, key_id, record)

    def _remember(
        self, fingerprint: str, key_id: str, record: KeyRecord | None, read_at: float
    ) -> Remembered:
        principal = None
        if record is not None:
            limits, default = record.limits, self._default_policy
            policy = make_policy(
                limits.per_minute or default[0].quota,
                limits.per_hour or default[1].quota,
                limits.per_day or default[2].quota,
            )
            identity = Identity(record.key_id, record.tenant_id, frozenset(record.scopes))
            principal = Principal(identity, policy, record.expires_at)
        entry = Remembered(record, principal, read_at)
        self._local.put(fingerprint, key_id, entry, read_at)
        return entry

    def _verify_behind(self, key: str, key_id: str, fingerprint: str) -> None:
        """Ask the database again without making the request wait."""
        if fingerprint in self._verifications:
            return

        async def verify() -> None:
            started = self._clock()
            try:
                record = await self._ask_database(key, key_id)
            except DatabaseUnreachable:
                return
            await self._share(fingerprint, key_id, record)
            self._remember(fingerprint, key_id, record, started)

        task = asyncio.create_task(verify())
        self._verifications[fingerprint] = task
        task.add_done_callback(lambda _: self._verifications.pop(fingerprint, None))
