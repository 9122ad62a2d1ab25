"""Creating, listing, changing, rotating and revoking API keys.

`keys:read` and `keys:write` are about all keys of an organization; `keys:own` is about those that
the user made.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from gateway.exceptions import Conflict
from gateway.models.accounts import UNSET, Organization, Page
from gateway.models.keys import ApiKey, Environment, KeyChanges, KeyLimits, NewKey, generate_key
from gateway.repositories.store import Database, Store
from gateway.services.authority import Actor, no_such
from gateway.services.hashing import KeyHasher
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.key_rules import (
    check_expiry,
    check_limits,
    check_scopes,
    with_models,
    with_scopes,
)
from shared.db.base import utc_now

_OWN, _READ, _WRITE = "keys:own", "keys:read", "keys:write"


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation reached.

    Attributes:
        announced: Caches were told; otherwise they find out by themselves.
    """

    key: ApiKey
    announced: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    """A key's successor.

    Attributes:
        old: The key that will end.
        new: The key that follows it.
        text: Of the new key; shown once.
    """

    old: ApiKey
    new: ApiKey
    text: str


class KeyService:
    """Manages keys.

    Args:
        database: Where keys live.
        hasher: Peppers.
        announcer: Tells caches of changes.
        defaults: The gateway's own quotas; nobody but the platform's administrators gives a key
            more than the organization's plan, or else these.
    """

    def __init__(
        self,
        database: Database,
        hasher: KeyHasher,
        announcer: KeyAnnouncer,
        defaults: KeyLimits = KeyLimits(),  # noqa: B008 - immutable
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._announcer = announcer
        self._defaults = defaults

    async def create(
        self,
        actor: Actor,
        new: NewKey,
        *,
        tenant_id: str | None = None,
        tenant_name: str | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is nowhere else and cannot be had again.

        Args:
            actor: Who makes it; a user owns it.
            new: What it shall be.
            tenant_id: Its organization; the actor's own when absent.
            tenant_name: Its organization, made when absent; for platform administrators.

        Raises:
            ScopeMissing: The actor may not make keys.
            PermissionEscalation: The key could do more than the actor.
            QuotaEscalation: The key would have more than the plan gives.
            InvalidField: A scope is unknown, or the key would have expired.
            NotFound: No such organization.
        """
        _may_all(actor, _WRITE)
        async with self._database.transaction() as store:
            organization = await _organization(store, actor, tenant_id, tenant_name)
            check_scopes(new.scopes)
            actor.require_all(new.scopes)
            actor.require_models(new.models)
            check_limits(actor, asdict(new.limits), organization.plan, self._defaults)
            check_expiry(new.expires_at)
            key, text = self._make(new, organization, actor.user_id)
            await store.keys.add(key)
        return key, text

    async def list(
        self,
        actor: Actor,
        *,
        tenant_id: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[ApiKey]:
        """A page of keys, newest first; the operator sees those of all organizations.

        Raises:
            ScopeMissing: The actor may not see keys.
            NotFound: No such organization.
        """
        user_id = None if _may_all(actor, _READ) else actor.user_id
        tenant_id = actor.tenant(tenant_id)
        async with self._database.transaction(read_only=True) as store:
            if tenant_id is not None and await store.organizations.find(tenant_id) is None:
                raise no_such("organization")
            return await store.keys.list(limit, cursor, tenant_id=tenant_id, user_id=user_id)

    async def get(self, actor: Actor, key_id: str) -> ApiKey:
        """A key.

        Raises:
            ScopeMissing: The actor may not see keys.
            NotFound: No such key, or none that the actor may know of.
        """
        async with self._database.transaction(read_only=True) as store:
            return await _find(store, actor, key_id, _READ)

    async def update(self, actor: Actor, key_id: str, changes: KeyChanges) -> ApiKey:
        """Change a key that is not revoked.

        Raises:
            ScopeMissing: The actor may not change keys.
            NotFound: No such key, or none that the actor may know of.
            Conflict: Code `key_not_active`.
            PermissionEscalation: It could do more than the actor, and than before.
            QuotaEscalation: It would have more than the plan gives.
            InvalidField: A scope is unknown, or the key would have expired.
        """
        async with self._database.transaction() as store:
            key = await _find(store, actor, key_id, _WRITE, lock=True)
            if key.revoked_at is not None:
                raise _not_active()
            key = with_scopes(actor, key, changes.scopes)
            key = with_models(actor, key, changes.models)
            if changes.expires_at is not UNSET:
                check_expiry(changes.expires_at)
                key = replace(key, expires_at=changes.expires_at)
            if changes.name is not UNSET:
                key = replace(key, name=changes.name)
            check_limits(actor, changes.limits, key.plan, self._defaults)
            key = replace(key, limits=replace(key.limits, **changes.limits))
            await store.keys.update(key)
        await self._announcer.changed([key])
        return key

    async def revoke(self, actor: Actor, key_id: str) -> Revocation:
        """Revoke a key: first in the database, then in every cache.

        Raises:
            ScopeMissing: The actor may not revoke keys.
            NotFound: No such key, or none that the actor may know of.
        """
        async with self._database.transaction() as store:
            await _find(store, actor, key_id, _WRITE)
            await store.keys.revoke(key_id, utc_now())
            key = await _find(store, actor, key_id, _WRITE)
        return Revocation(key, await self._announcer.revoked([key]))

    async def rotate(self, actor: Actor, key_id: str, overlap: timedelta) -> Rotation:
        """Make a successor that may do the same; the old key ends after the overlap.

        The successor lives as long as the old key was made for, counted from now.

        Raises:
            ScopeMissing: The actor may not change keys.
            NotFound: No such key, or none that the actor may know of.
            Conflict: Code `key_not_active`.
            PermissionEscalation: The key can do more than the actor, who would see its text.
        """
        now = utc_now()
        async with self._database.transaction() as store:
            old = await _find(store, actor, key_id, _WRITE, lock=True)
            if old.state(now) != "active":
                raise _not_active()
            actor.require_all(old.scopes)
            actor.require_models(old.models)
            new, text = self._successor(old, now)
            await store.keys.add(new)
            end = now + overlap
            if old.expires_at is None or end < old.expires_at:
                old = replace(old, expires_at=end)
                await store.keys.update(old)
        await self._announcer.changed([old])
        return Rotation(old, new, text)

    def _make(
        self, new: NewKey, organization: Organization, user_id: str | None
    ) -> tuple[ApiKey, str]:
        text, key_id = generate_key(new.environment)
        key = ApiKey(
            id=key_id,
            tenant_id=organization.id,
            tenant_name=organization.name,
            name=new.name,
            environment=new.environment,
            hmac=self._hasher.digest(text),
            pepper_version=self._hasher.current,
            scopes=new.scopes,
            limits=new.limits,
            created_at=utc_now(),
            expires_at=new.expires_at,
            revoked_at=None,
            last_used_at=None,
            user_id=user_id,
            models=new.models,
            suspended=organization.suspended_at is not None,
            plan=organization.plan,
        )
        return key, text

    def _successor(self, old: ApiKey, now: datetime) -> tuple[ApiKey, str]:
        environment: Environment = "test" if old.environment == "test" else "live"
        text, key_id = generate_key(environment)
        life = old.expires_at - old.created_at if old.expires_at else None
        new = replace(
            old,
            id=key_id,
            hmac=self._hasher.digest(text),
            pepper_version=self._hasher.current,
            created_at=now,
            expires_at=now + life if life else None,
            last_used_at=None,
            rotated_from=old.id,
        )
        return new, text


def _may_all(actor: Actor, permission: str) -> bool:
    """Whether the actor may see or change all keys; False is for their own only.

    Raises:
        ScopeMissing: Neither.
    """
    if actor.may(permission) or (permission == _READ and actor.may(_WRITE)):
        return True
    if actor.user_id is None or not actor.may(_OWN):
        actor.require(permission)
    return False


async def _find(
    store: Store, actor: Actor, key_id: str, permission: str, *, lock: bool = False
) -> ApiKey:
    every = _may_all(actor, permission)
    key = await store.keys.find(key_id, lock=lock)
    if (
        key is None
        or not actor.reaches(key.tenant_id)
        or not (every or key.user_id == actor.user_id)
    ):
        raise no_such("API key")
    return key


async def _organization(
    store: Store, actor: Actor, tenant_id: str | None, tenant_name: str | None
) -> Organization:
    if tenant_name is not None and actor.is_platform_admin:
        return await store.organizations.ensure(tenant_name)
    wanted = actor.tenant(tenant_id)
    found = await store.organizations.find(wanted) if wanted is not None else None
    if found is None:
        raise no_such("organization")
    return found


def _not_active() -> Conflict:
    return Conflict("This API key was revoked or has expired.", code="key_not_active")
