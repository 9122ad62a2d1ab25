"""Users log in, refresh, log out, and change their password."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from gateway.exceptions import (
    CredentialRefused,
    LoginFailed,
    LoginThrottled,
    NotAUser,
    OrganizationSuspended,
)
from gateway.models.accounts import User, normalize_email
from gateway.models.keys import BASE62, SECRET_LENGTH
from gateway.models.limits import Decision, Policy, Window
from gateway.models.principal import Principal
from gateway.models.sessions import Session, Tokens
from gateway.repositories.store import Database, Store
from gateway.services.hashing import KeyHasher
from gateway.services.passwords import PasswordHasher
from gateway.services.tokens import LIFETIME_S, SUBJECT_PREFIX, AccessTokens
from shared.db.base import new_id, utc_now
from shared.logging import get_logger
from shared.problem import NotFound

_logger = get_logger(__name__)
_REFRESH_PREFIX = "sgr_"
_SESSION_LIFE = timedelta(days=30)
_KEPT_AFTER_END = timedelta(days=30)
_MICROSECONDS = 1_000_000
# Of one account from one address: a stranger who guesses locks nobody out elsewhere. The account
# as a whole is bounded too, against guesses from many places.
_PAIR_POLICY: Policy = (Window("minute", 10, 60),)
_ACCOUNT_POLICY: Policy = (Window("minute", 60, 60),)
_ADDRESS_POLICY: Policy = (Window("minute", 120, 60),)
Forget = Callable[[str], Awaitable[None]]


class LoginLimiter(Protocol):
    """Counts logins."""

    async def check(self, key: str, policy: Policy, cost: int = 1) -> Decision:
        """One decision; see `gateway.ratelimit.protocol.Limiter`."""


class LoginService:
    """Sessions and their tokens.

    Args:
        database: Where they live.
        passwords: Verifies.
        tokens: Issues access tokens.
        hasher: Peppers, for what is stored instead of refresh tokens.
        limiter: Throttles logins.
        forget: Tells every gateway that a sender (`user:<id>`) has changed.
    """

    def __init__(
        self,
        database: Database,
        passwords: PasswordHasher,
        tokens: AccessTokens,
        hasher: KeyHasher,
        limiter: LoginLimiter,
        forget: Forget,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._hasher = hasher
        self._limiter = limiter
        self._forget = forget

    async def login(self, email: str, password: str, *, address: str, user_agent: str) -> Tokens:
        """Begin a session.

        Args:
            email: In any case.
            password: As typed.
            address: Of the client.
            user_agent: As the client names itself.

        Raises:
            LoginThrottled: Too many of this account, or from this address.
            LoginFailed: No such user, another password, or a disabled user.
            OrganizationSuspended: Nobody of the organization may do anything.
        """
        account, known = _account(email)
        await self._throttle(account, address)
        user = None
        if known:
            async with self._database.transaction(read_only=True) as store:
                user = await store.users.find_by_email(account)
        # The same work whether the user exists or not.
        right = await self._passwords.verify(user.password_hash if user else None, password)
        if user is None or not right or user.disabled_at is not None:
            _logger.info("login failed", address=address)
            raise LoginFailed
        if user.organization_suspended:
            raise OrganizationSuspended
        renewed = None
        if self._passwords.outdated(user.password_hash):
            renewed = await self._passwords.hash(password)
        now = utc_now()
        async with self._database.transaction() as store:
            await store.sessions.prune(now - _KEPT_AFTER_END)
            # Locks the user: a password that is replaced meanwhile begins no session, nor comes
            # back as a renewed hash.
            await store.users.touch_login(user.id, now)
            again = await store.users.find(user.id)
            if again is None or again.disabled_at is not None:
                raise LoginFailed
            if again.password_changed_at != user.password_changed_at:
                raise LoginFailed
            if renewed is not None:
                await store.users.set_password(user.id, renewed, user.password_changed_at)
            session = Session(
                id=new_id(),
                user_id=user.id,
                user_agent=user_agent[:200],
                created_at=now,
                last_used_at=now,
                expires_at=now + _SESSION_LIFE,
                revoked_at=None,
                revoked_because=None,
            )
            await store.sessions.add(session)
            tokens = await self._tokens_of(store, session, user)
        _logger.info("logged in", user_id=user.id, session_id=session.id)
        return tokens

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for an old refresh token, once.

        A token that was used before is in two hands: the session and all that descends from it
        ends (RFC 9700 §4.14.2).

        Raises:
            CredentialRefused: Codes `refresh_token_invalid`, `refresh_token_reused`,
                `session_revoked`.
            OrganizationSuspended: The token stays good for when it no longer is.
        """
        hmac = self._hasher.digest(refresh_token)
        now = utc_now()
        async with self._database.transaction() as store:
            session = await store.sessions.find_by_token(hmac)
            if session is None:
                raise CredentialRefused(
                    "The refresh token is not valid.", code="refresh_token_invalid"
                )
            user = await store.users.find(session.user_id)
            live = session.is_live(now) and user is not None and user.disabled_at is None
            if live and user is not None and user.organization_suspended:
                raise OrganizationSuspended
            won = live and await store.sessions.use_token(hmac, now)
            if live and not won:
                await store.sessions.revoke(session.id, now, "reuse")
            if won and user is not None:
                await store.sessions.extend(session.id, now, now + _SESSION_LIFE)
                return await self._tokens_of(store, session, user)
        if live:
            _logger.warning("refresh token reused", session_id=session.id, user_id=session.user_id)
            await self._forget(SUBJECT_PREFIX + session.user_id)
            raise CredentialRefused(
                "The refresh token was used before; log in again.", code="refresh_token_reused"
            )
        raise CredentialRefused("The session has ended; log in again.", code="session_revoked")

    async def logout(self, principal: Principal) -> None:
        """End the caller's session.

        Raises:
            NotAUser: The caller is an API key.
        """
        user_id, session_id = _user(principal)
        async with self._database.transaction() as store:
            await store.sessions.revoke(session_id, utc_now(), "logout")
        await self._forget(SUBJECT_PREFIX + user_id)

    async def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Replace the caller's password; their other sessions end.

        Raises:
            NotAUser: The caller is an API key.
            LoginThrottled: Too many attempts.
            LoginFailed: The current password is another one.
            PasswordWeak: The new one would be guessed.
        """
        user_id, session_id = _user(principal)
        async with self._database.transaction(read_only=True) as store:
            user = await store.users.find(user_id)
        await self._throttle(user.email if user else user_id, user_id)
        if not await self._passwords.verify(user.password_hash if user else None, current):
            raise LoginFailed
        self._passwords.check_policy(new, user.email if user else "")
        stored, now = await self._passwords.hash(new), utc_now()
        async with self._database.transaction() as store:
            await store.users.set_password(user_id, stored, now)
            await store.sessions.revoke_others(user_id, session_id, now, "password")
        await self._forget(SUBJECT_PREFIX + user_id)

    async def list_sessions(self, principal: Principal) -> list[Session]:
        """The caller's live sessions, newest first.

        Raises:
            NotAUser: The caller is an API key.
        """
        user_id, _ = _user(principal)
        async with self._database.transaction(read_only=True) as store:
            return await store.sessions.list_live(user_id, utc_now())

    async def end_session(self, principal: Principal, session_id: str) -> None:
        """End one of the caller's sessions.

        Raises:
            NotAUser: The caller is an API key.
            NotFound: No such session, or another user's.
        """
        user_id, _ = _user(principal)
        async with self._database.transaction() as store:
            session = await store.sessions.find(session_id)
            if session is None or session.user_id != user_id:
                raise NotFound("There is no session of this id.")
            await store.sessions.revoke(session_id, utc_now(), "logout")
        await self._forget(SUBJECT_PREFIX + user_id)

    async def _tokens_of(self, store: Store, session: Session, user: User) -> Tokens:
        secret = "".join(secrets.choice(BASE62) for _ in range(SECRET_LENGTH))
        refresh = _REFRESH_PREFIX + secret
        now = utc_now()
        await store.sessions.add_token(session.id, self._hasher.digest(refresh), now)
        access = self._tokens.issue(user.id, user.tenant_id, session.id)
        return Tokens(access, refresh, LIFETIME_S, now + _SESSION_LIFE, user)

    async def _throttle(self, account: str, address: str) -> None:
        hashed = self._hasher.digest(account).hex()[:32]
        # The narrower count comes after: what one refuses must not use up the next.
        for key, policy in (
            (f"login:address:{address}", _ADDRESS_POLICY),
            (f"login:pair:{hashed}:{address}", _PAIR_POLICY),
            (f"login:account:{hashed}", _ACCOUNT_POLICY),
        ):
            decision = await self._limiter.check(key, policy)
            if not decision.allowed:
                raise LoginThrottled(max(1, -(-decision.retry_after_us // _MICROSECONDS)))


def _account(email: str) -> tuple[str, bool]:
    """What an address is counted under, and whether it is one: no other may reach the database."""
    try:
        return normalize_email(email), True
    except ValueError:
        return email.strip().lower(), False


def _user(principal: Principal) -> tuple[str, str]:
    """Id of the user and of the session."""
    if principal.session_id is None:
        raise NotAUser
    return principal.identity.subject.removeprefix(SUBJECT_PREFIX), principal.session_id
