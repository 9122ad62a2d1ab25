"""From a credential to a principal: this process's memory, then Redis, then the database.

| asked | believed for | then |
|---|---|---|
| this process | 2 s | Redis (full stack) or the database (embedded), behind requests after 1.5 s |
| Redis | 60 s | the database, asked behind the request from 45 s on |
| the database | | |

A revocation therefore holds everywhere within 2 s, and within 60 s where Redis missed it. While
the database is down, what any cache knows is used for up to 60 s; other keys get 503, never 401.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from gateway.db.dependency import Dependency
from gateway.exceptions import (
    AuthUnavailable,
    CredentialRefused,
    DatabaseUnreachable,
    OrganizationSuspended,
)
from gateway.models.keys import key_id_of
from gateway.models.limits import Policy
from gateway.models.principal import KeyRecord, Principal
from gateway.repositories.key_cache import RedisKeyCache
from gateway.repositories.local_keys import LocalKeys, Remembered
from gateway.repositories.store import Database
from gateway.services.hashing import KeyHasher
from gateway.services.key_records import DATABASE_TIMEOUT_S, KeyRecords
from gateway.services.sessions import SessionReader
from gateway.services.single_flight import SingleFlight
from gateway.services.tokens import looks_like_token
from shared.metrics import Metrics
from shared.red import Counts

RENEW_AFTER_S = 1.5
"""Age at which what this process knows is read again, so that a busy sender never waits for it."""
VERIFY_AFTER_S = 45.0
"""Age at which a cached record is verified again, so that none is believed beyond 60 s."""


class UsageSink(Protocol):
    """Notes that a key was used; never waits."""

    def touch(self, key_id: str) -> None:
        """The key was used now."""


class Authenticator:
    """Checks API keys and access tokens.

    Args:
        database: The truth.
        database_state: Whether the database answers.
        cache: Shared between gateways; None in the embedded stack.
        hasher: Peppers.
        usage: Where `last_used_at` is collected.
        default_policy: Quotas of a key that has none of its own.
        metrics: Where lookups are counted.
        sessions: Reads users' sessions; None refuses access tokens.
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
        sessions: SessionReader | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = KeyRecords(database, database_state, cache, hasher)
        self._database_state = database_state
        self._hasher = hasher
        self._usage = usage
        self._default_policy = default_policy
        self._sessions = sessions
        self._clock = clock
        self._local = LocalKeys()
        self._lookups = SingleFlight[bytes, Remembered]()
        self._behind = SingleFlight[bytes, None]()
        lookups = Counts(
            "speechgate_key_lookups",
            "Key checks by where the answer came from",
            "source",
            ("process", "redis", "database", "stale", "refused_offline", "unavailable"),
        )
        metrics.registry.register(lookups)
        self._lookups_by = lookups.by

    def digest(self, credential: str) -> bytes:
        """What a credential is known by in this process."""
        return self._hasher.digest(credential)

    def cached(self, digest: bytes, credential: str) -> Principal | None:
        """The principal, when this process knows it and may still believe it; never waits.

        Args:
            digest: Of the credential.
            credential: To look it up again behind the request, while what is known still holds.
        """
        now = self._clock()
        found = self._local.fresh(digest, now)
        if found is None or found.principal is None:
            return None
        expires_at = found.principal.expires_at
        if expires_at is not None and expires_at <= time.time():
            return None
        self._lookups_by["process"] += 1
        if found.record is not None:
            key_id = found.record.key_id
            self._usage.touch(key_id)
            if now - found.stored_at >= RENEW_AFTER_S and not found.renewed:
                found.renewed = True
                self._lookups.start(digest, lambda: self._look_up(credential, key_id, digest))
        return found.principal

    async def authenticate(self, credential: str) -> Principal:
        """The principal of an API key or an access token.

        Raises:
            CredentialRefused: Codes `key_malformed`, `key_unknown`, `key_revoked`, `key_expired`,
                `token_invalid`, `token_expired`, `session_revoked`.
            OrganizationSuspended: Nobody of the organization may do anything.
            AuthUnavailable: Nothing that answers knows the sender.
        """
        sessions = self._sessions
        if sessions is not None and looks_like_token(credential):
            return await self._authenticate_user(sessions, credential)
        try:
            key_id = key_id_of(credential)
        except CredentialRefused:
            self._lookups_by["refused_offline"] += 1
            raise
        digest = self._hasher.digest(credential)
        found = self._local.fresh(digest, self._clock())
        if found is None:
            found = await self._lookups.run(
                digest, lambda: self._look_up(credential, key_id, digest)
            )
        else:
            self._lookups_by["process"] += 1
        principal = self._accept(found)
        self._usage.touch(key_id)
        return principal

    async def principal_of(self, key_id: str) -> Principal:
        """The principal of a key that was authenticated before, as it is now.

        Raises:
            SpeechgateError: As `authenticate`.
        """
        try:
            stored = await self._records.read(key_id)
        except DatabaseUnreachable:
            raise _unavailable() from None
        record = KeyRecord.from_key(stored, time.time()) if stored else None
        return self._accept(self._made(key_id, record, self._clock()))

    async def principal_of_session(self, session_id: str, user_id: str) -> Principal:
        """The user of a session that was authenticated before, as it is now.

        Raises:
            SpeechgateError: As `authenticate`.
        """
        if self._sessions is None:
            raise _unavailable()
        try:
            return await self._sessions.principal(session_id, user_id, self._default_policy)
        except DatabaseUnreachable:
            raise _unavailable() from None

    async def _authenticate_user(self, sessions: SessionReader, token: str) -> Principal:
        claims = sessions.verify(token)
        digest = self._hasher.digest(token)

        async def read() -> Remembered:
            started = self._clock()
            if not self._database_state.up:
                return self._stale_or_refuse(digest)
            try:
                async with asyncio.timeout(DATABASE_TIMEOUT_S):
                    principal = await sessions.read(claims, self._default_policy)
            except (DatabaseUnreachable, TimeoutError) as error:
                self._database_state.failed(error)
                return self._stale_or_refuse(digest)
            self._lookups_by["database"] += 1
            entry = Remembered(None, principal, started, principal.identity.subject)
            self._local.put(digest, entry, started)
            return entry

        found = self._local.fresh(digest, self._clock()) or await self._lookups.run(digest, read)
        if found.principal is None:
            raise _unavailable()
        return found.principal

    def invalidate(self, holder: str | None) -> None:
        """Forget a sender in this process.

        Args:
            holder: Id of a key, or `user:<id>`; None when any number of messages may be missed.
        """
        if holder is None:
            self._local.expire_all(self._clock())
        else:
            self._local.invalidate(holder, self._clock())

    async def require_database(self) -> None:
        """Raise when the database has been down for so long that no key is believed."""
        if not self._records.in_grace:
            raise DatabaseUnreachable

    async def close(self) -> None:
        """End what still runs behind requests."""
        await self._lookups.close()
        await self._behind.close()

    @staticmethod
    def _accept(found: Remembered) -> Principal:
        record = found.record
        if record is None:
            raise CredentialRefused("This API key does not exist.", code="key_unknown")
        if record.revoked:
            raise CredentialRefused("This API key was revoked.", code="key_revoked")
        if record.expires_at is not None and record.expires_at <= time.time():
            raise CredentialRefused("This API key has expired.", code="key_expired")
        if found.principal is None:
            raise OrganizationSuspended
        return found.principal

    async def _look_up(self, key: str, key_id: str, digest: bytes) -> Remembered:
        started, fingerprint = self._clock(), digest.hex()
        cached = await self._records.ask_redis(fingerprint, key_id)
        if cached is not None and self._records.believable(cached.record):
            self._lookups_by["redis"] += 1
            if cached.record and time.time() - cached.record.verified_at > VERIFY_AFTER_S:
                self._behind.start(digest, lambda: self._verify(key, key_id, digest))
            return self._remember(digest, key_id, cached.record, started)
        try:
            record = await self._records.ask_database(key, key_id)
        except DatabaseUnreachable:
            if cached is not None and cached.record and self._records.in_grace:
                self._lookups_by["stale"] += 1
                return self._remember(digest, key_id, cached.record, started)
            return self._stale_or_refuse(digest)
        self._lookups_by["database"] += 1
        await self._records.share(fingerprint, key_id, record)
        return self._remember(digest, key_id, record, started)

    def _stale_or_refuse(self, digest: bytes) -> Remembered:
        entry = self._local.stale(digest)
        known = entry is not None and (entry.record is not None or entry.principal is not None)
        if entry is None or not known or not self._records.in_grace:
            self._lookups_by["unavailable"] += 1
            raise _unavailable()
        self._lookups_by["stale"] += 1
        return entry

    def _made(self, key_id: str, record: KeyRecord | None, read_at: float) -> Remembered:
        if record is None:
            return Remembered(None, None, read_at, key_id)
        refused = record.revoked or record.suspended
        principal = None if refused else record.principal(self._default_policy)
        return Remembered(record, principal, read_at, key_id)

    def _remember(
        self, digest: bytes, key_id: str, record: KeyRecord | None, read_at: float
    ) -> Remembered:
        entry = self._made(key_id, record, read_at)
        self._local.put(digest, entry, read_at)
        return entry

    async def _verify(self, key: str, key_id: str, digest: bytes) -> None:
        """Ask the database again."""
        started = self._clock()
        try:
            record = await self._records.ask_database(key, key_id)
        except DatabaseUnreachable:
            return
        await self._records.share(digest.hex(), key_id, record)
        self._remember(digest, key_id, record, started)


def _unavailable() -> AuthUnavailable:
    return AuthUnavailable("The credential cannot be checked at the moment.", retry_after_s=5)
