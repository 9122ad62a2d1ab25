"""Who a user is now: the session, the account and the permissions behind an access token."""

from gateway.exceptions import CredentialRefused, OrganizationSuspended
from gateway.models.accounts import User
from gateway.models.keys import KeyLimits
from gateway.models.limits import Policy
from gateway.models.principal import (
    NO_PLAN,
    Concurrency,
    Principal,
    effective_limits,
    policy_of,
)
from gateway.repositories.store import Database
from gateway.services.tokens import SUBJECT_PREFIX, AccessTokens, Claims
from shared.db.base import utc_now
from shared.identity import Identity


class SessionReader:
    """Reads the truth about a session.

    Args:
        database: Where it is.
        tokens: Verifies what names it.
    """

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        self._database = database
        self._tokens = tokens

    def verify(self, token: str) -> Claims:
        """What an access token says; without I/O.

        Raises:
            CredentialRefused: Codes `token_invalid`, `token_expired`.
        """
        return self._tokens.verify(token)

    async def read(self, claims: Claims, default: Policy) -> Principal:
        """The sender of a token.

        Raises:
            CredentialRefused: Code `session_revoked`.
            OrganizationSuspended: Nobody of the organization may do anything.
            DatabaseUnreachable: Nobody can say.
        """
        return await self.principal(
            claims.session_id, claims.user_id, default, expires_at=claims.expires_at
        )

    async def principal(
        self, session_id: str, user_id: str, default: Policy, *, expires_at: float | None = None
    ) -> Principal:
        """The user of a session; see `read`."""
        async with self._database.transaction(read_only=True) as store:
            session = await store.sessions.find(session_id)
            user = await store.users.find(user_id) if session is not None else None
            granted = await store.users.permissions_of(user_id) if user else frozenset[str]()
        if (
            session is None
            or user is None
            or session.user_id != user.id
            or not session.is_live(utc_now())
            or user.disabled_at is not None
        ):
            raise CredentialRefused("The session has ended; log in again.", code="session_revoked")
        if user.organization_suspended:
            raise OrganizationSuspended
        return principal_of(user, granted, session_id, default, expires_at)


def principal_of(
    user: User,
    granted: frozenset[str],
    session_id: str,
    default: Policy,
    expires_at: float | None,
) -> Principal:
    """A user as a sender."""
    limits, plan = effective_limits(KeyLimits(), user.plan), user.plan
    return Principal(
        Identity(SUBJECT_PREFIX + user.id, user.tenant_id, granted),
        policy_of(limits, default),
        expires_at,
        kind="user",
        concurrency=Concurrency(
            limits.max_concurrent, plan.max_concurrent_per_tenant if plan else None
        ),
        session_id=session_id,
        plan=plan.name if plan else NO_PLAN,
    )
