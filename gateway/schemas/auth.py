"""Bodies and answers of `/api/v1/auth/…`."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from gateway.models.accounts import User
from gateway.models.principal import Principal
from gateway.models.sessions import Session, Tokens


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginRequest(_Strict):
    """E-mail address and password."""

    email: str = Field(min_length=3, max_length=254)
    password: str = Field(min_length=1, max_length=128)


class RefreshRequest(_Strict):
    """A refresh token; it can be used once."""

    refresh_token: str = Field(min_length=1, max_length=128)


class PasswordRequest(_Strict):
    """The present password, and the one that replaces it."""

    current_password: str = Field(min_length=1, max_length=128)
    new_password: str = Field(min_length=1, max_length=128)


class UserAnswer(BaseModel):
    """The user who logged in."""

    id: str
    email: str
    name: str
    organization_id: str
    roles: list[str]

    @classmethod
    def of(cls, user: User) -> Self:
        """From the domain."""
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            organization_id=user.tenant_id,
            roles=list(user.roles),
        )


class TokensAnswer(BaseModel):
    """Send the access token as `Authorization: Bearer …`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = Field(description="Seconds")
    refresh_token: str
    refresh_expires_at: datetime
    user: UserAnswer

    @classmethod
    def of(cls, tokens: Tokens) -> Self:
        """From the domain."""
        return cls(
            access_token=tokens.access_token,
            expires_in=tokens.expires_in_s,
            refresh_token=tokens.refresh_token,
            refresh_expires_at=tokens.refresh_expires_at,
            user=UserAnswer.of(tokens.user),
        )


class WindowAnswer(BaseModel):
    """A rate limit."""

    name: str
    quota: int
    seconds: int


class MeAnswer(BaseModel):
    """Who the gateway takes the caller for."""

    kind: Literal["api_key", "user"]
    subject: str
    organization_id: str
    permissions: list[str]
    models: list[str] | None
    limits: list[WindowAnswer]
    max_concurrent: int | None
    expires_at: float | None = Field(description="Unix seconds")

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """From the domain."""
        return cls(
            kind=principal.kind,
            subject=principal.identity.subject,
            organization_id=principal.identity.tenant_id,
            permissions=sorted(principal.identity.scopes),
            models=None if principal.models is None else sorted(principal.models),
            limits=[
                WindowAnswer(name=w.name, quota=w.quota, seconds=w.seconds)
                for w in principal.policy
            ],
            max_concurrent=principal.concurrency.per_key,
            expires_at=principal.expires_at,
        )


class SessionAnswer(BaseModel):
    """A login."""

    id: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: Session, current: str | None) -> Self:
        """From the domain."""
        return cls(
            id=session.id,
            user_agent=session.user_agent,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            current=session.id == current,
        )


class SessionsAnswer(BaseModel):
    """The caller's logins, newest first."""

    items: list[SessionAnswer]


class TicketAnswer(BaseModel):
    """Put it into a WebSocket's URL: `?ticket=…`; it works once."""

    ticket: str
    expires_in: int = Field(description="Seconds")
