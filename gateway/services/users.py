"""Users: making, changing and deleting them.

Nobody changes a user who holds more than they do: a new password would let them act as that user.
"""

from datetime import datetime
from typing import Any

from gateway.exceptions import EmailTaken, LastAdmin
from gateway.models.accounts import UNSET, NewUser, Page, Role, User, UserChanges
from gateway.models.keys import ApiKey
from gateway.repositories.store import Database, Store
from gateway.services.authority import Actor, narrowed, no_such
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.passwords import PasswordHasher
from shared.db.base import new_id, utc_now
from shared.problem import InvalidField


class UserService:
    """Manages users.

    Args:
        database: Where they live.
        passwords: Makes what is stored instead of a password.
        announcer: Told of keys that end with their owner.
    """

    def __init__(
        self, database: Database, passwords: PasswordHasher, announcer: KeyAnnouncer
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._announcer = announcer

    async def roles(self) -> tuple[Role, ...]:
        """All roles by name."""
        async with self._database.transaction(read_only=True) as store:
            return await store.roles.list()

    async def create(self, actor: Actor, new: NewUser, *, tenant_id: str | None = None) -> User:
        """A new user.

        Args:
            actor: Who makes it.
            new: What it shall be.
            tenant_id: Its organization; the actor's own when absent.

        Raises:
            NotFound: No such organization, or none that the actor may know of.
            InvalidField: A role is unknown, or the password is weak.
            PermissionEscalation: A role grants more than the actor holds.
            EmailTaken: Another user has the address.
        """
        wanted = actor.tenant(tenant_id)
        self._passwords.check_policy(new.password, new.email)
        async with self._database.transaction(read_only=True) as store:
            organization = await store.organizations.find(wanted) if wanted is not None else None
            if organization is None:
                raise no_such("organization")
            await _check_roles(store, actor, new.roles)
            if await store.users.find_by_email(new.email) is not None:
                raise EmailTaken
        # Slow on purpose: only for what will be stored, and in no transaction.
        password_hash = await self._passwords.hash(new.password)
        now = utc_now()
        async with self._database.transaction() as store:
            user = User(
                id=new_id(),
                tenant_id=organization.id,
                email=new.email,
                name=new.name,
                password_hash=password_hash,
                roles=tuple(sorted(new.roles)),
                disabled_at=None,
                password_changed_at=now,
                last_login_at=None,
                created_at=now,
                organization_suspended=organization.suspended_at is not None,
                plan=organization.plan,
            )
            await store.users.add(user)
        return user

    async def list(
        self,
        actor: Actor,
        *,
        tenant_id: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[User]:
        """A page of users, newest first; the operator sees those of all organizations.

        Raises:
            NotFound: No such organization, or none that the actor may know of.
        """
        tenant_id = actor.tenant(tenant_id)
        async with self._database.transaction(read_only=True) as store:
            if tenant_id is not None and await store.organizations.find(tenant_id) is None:
                raise no_such("organization")
            return await store.users.list(tenant_id, limit, cursor)

    async def get(self, actor: Actor, user_id: str) -> User:
        """A user.

        Raises:
            NotFound: No such user, or none that the actor may know of.
        """
        async with self._database.transaction(read_only=True) as store:
            return await _find(store, actor, user_id)

    async def with_email(self, actor: Actor, email: str) -> User:
        """The user of an address.

        Raises:
            NotFound: No such user, or none that the actor may know of.
        """
        async with self._database.transaction(read_only=True) as store:
            user = await store.users.find_by_email(email)
        if user is None or not actor.reaches(user.tenant_id):
            raise no_such("user", "address")
        return user

    async def update(self, actor: Actor, user_id: str, changes: UserChanges) -> User:
        """Change a user.

        Disabling ends the sessions and revokes the keys, a new password ends the sessions, and
        with fewer roles the user's keys lose what the user lost.

        Raises:
            NotFound: No such user, or none that the actor may know of.
            InvalidField: A role is unknown, or the password is weak.
            PermissionEscalation: The user holds, or would hold, more than the actor.
            LastAdmin: Nobody could administer the platform any more.
        """
        password_hash = None
        if changes.password is not UNSET:
            async with self._database.transaction(read_only=True) as store:
                user = await _find_changeable(store, actor, user_id)
            self._passwords.check_policy(changes.password, user.email)
            password_hash = await self._passwords.hash(changes.password)
        now = utc_now()
        revoked: tuple[ApiKey, ...] = ()
        changed: tuple[ApiKey, ...] = ()
        async with self._database.transaction() as store:
            await store.roles.lock_platform_admins()
            admins = await store.roles.count_platform_admins()
            user = await _find_changeable(store, actor, user_id)
            await store.users.update(user_id, **_columns(user, changes, now))
            if changes.roles is not UNSET:
                held = await _check_roles(store, actor, changes.roles)
                await store.users.set_roles(user_id, changes.roles)
                changed, revoked = await store.keys.narrow(
                    user_id, lambda scopes: narrowed(scopes, held), now
                )
            if password_hash is not None:
                await store.users.set_password(user_id, password_hash, now)
                await store.sessions.revoke_others(user_id, None, now, "password_reset")
            if changes.disabled is True:
                await store.sessions.revoke_others(user_id, None, now, "disabled")
                revoked += await store.keys.revoke_of(user_id, now)
            if admins and not await store.roles.count_platform_admins():
                raise LastAdmin
            user = await _find(store, actor, user_id)
        await self._announcer.revoked(revoked)
        await self._announcer.changed(changed)
        return user

    async def delete(self, actor: Actor, user_id: str) -> None:
        """Delete a user with its sessions; its keys are revoked.

        Raises:
            NotFound: No such user, or none that the actor may know of.
            PermissionEscalation: The user holds more than the actor.
            LastAdmin: Nobody could administer the platform any more.
        """
        async with self._database.transaction() as store:
            await store.roles.lock_platform_admins()
            admins = await store.roles.count_platform_admins()
            await _find_changeable(store, actor, user_id)
            revoked = await store.keys.revoke_of(user_id, utc_now())
            await store.users.delete(user_id)
            if admins and not await store.roles.count_platform_admins():
                raise LastAdmin
        await self._announcer.revoked(revoked)


async def _find(store: Store, actor: Actor, user_id: str) -> User:
    user = await store.users.find(user_id)
    if user is None or not actor.reaches(user.tenant_id):
        raise no_such("user")
    return user


async def _find_changeable(store: Store, actor: Actor, user_id: str) -> User:
    user = await _find(store, actor, user_id)
    actor.require_all(await store.users.permissions_of(user_id))
    return user


async def _check_roles(store: Store, actor: Actor, roles: frozenset[str]) -> frozenset[str]:
    """What the roles grant, if the actor may give them."""
    known = {role.name for role in await store.roles.list()}
    if not roles <= known:
        raise InvalidField("Name roles that exist.", pointer="/roles", code="unknown_role")
    granted = await store.roles.permissions_of(roles)
    actor.require_all(granted)
    return granted


def _columns(user: User, changes: UserChanges, now: datetime) -> dict[str, Any]:
    disabled_at = user.disabled_at
    if changes.disabled is not UNSET:
        disabled_at = (user.disabled_at or now) if changes.disabled else None
    name = user.name if changes.name is UNSET else changes.name
    return {"name": name, "disabled_at": disabled_at}
