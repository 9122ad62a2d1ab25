"""Logins."""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.models.accounts import User


@dataclass(frozen=True, slots=True)
class Session:
    """A login and all refresh tokens that descend from it.

    Attributes:
        user_agent: As the client named itself at the login.
        revoked_because: `logout`, `reuse`, `password`, `admin`.
    """

    id: str
    user_id: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None

    def is_live(self, now: datetime) -> bool:
        """Whether its tokens are worth anything."""
        return self.revoked_at is None and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets for a login or a refresh.

    Attributes:
        expires_in_s: Of the access token.
        refresh_expires_at: Of the session, if the refresh token is not used before.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int
    refresh_expires_at: datetime
    user: User
