"""Bodies of `/api/v1/admin/keys`."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from gateway.models.accounts import Page
from gateway.models.keys import ApiKey, Environment, KeyChanges, KeyLimits, NewKey
from gateway.schemas.admin_common import (
    AdminAnswer,
    AdminRequest,
    Id,
    ModelName,
    Name,
    Quota,
    Time,
    Word,
)
from shared.db.base import utc_now

MAX_OVERLAP_S, DEFAULT_OVERLAP_S = 604_800, 86_400
Scopes = Annotated[frozenset[Word], Field(min_length=1, max_length=32)]
Models = Annotated[frozenset[ModelName], Field(min_length=1, max_length=64)]


class Limits(AdminRequest):
    """A key's own quotas; what is null takes the plan's, or else the gateway's."""

    per_minute: Quota | None = None
    per_hour: Quota | None = None
    per_day: Quota | None = None
    max_concurrent: Quota | None = None


class KeyRequest(AdminRequest):
    """Body of `POST /api/v1/admin/keys`."""

    name: Name
    scopes: Scopes
    models: Models | None = None
    limits: Limits = Limits()
    expires_at: Time | None = None
    environment: Environment = "live"
    tenant_id: Id | None = None

    def new(self) -> NewKey:
        """The request as the domain knows it."""
        return NewKey(
            name=self.name,
            scopes=self.scopes,
            limits=KeyLimits(**self.limits.model_dump()),
            models=self.models,
            expires_at=self.expires_at,
            environment=self.environment,
        )


class KeyPatch(AdminRequest):
    """Body of `PATCH /api/v1/admin/keys/{id}`; what is absent stays."""

    name: Name = Field(default_factory=str)
    scopes: Scopes = Field(default_factory=frozenset)
    models: Models | None = None
    limits: Limits = Limits()
    expires_at: Time | None = None

    def changes(self) -> KeyChanges:
        """The request as the domain knows it."""
        return KeyChanges(**{**self.given(), "limits": self.limits.given()})


class RotationRequest(AdminRequest):
    """Body of `POST /api/v1/admin/keys/{id}/rotate`."""

    overlap_s: Annotated[StrictInt, Field(ge=0, le=MAX_OVERLAP_S)] = DEFAULT_OVERLAP_S

    def overlap(self) -> timedelta:
        """How long the old key still works."""
        return timedelta(seconds=self.overlap_s)


class KeyLimitsAnswer(AdminAnswer):
    """A key's own quotas."""

    per_minute: int | None
    per_hour: int | None
    per_day: int | None
    max_concurrent: int | None


class KeyAnswer(AdminAnswer):
    """A key, without its text."""

    id: str
    name: str
    tenant_id: str
    tenant: str
    user_id: str | None
    environment: str
    scopes: list[str]
    models: list[str] | None
    limits: KeyLimitsAnswer
    state: Literal["active", "expired", "revoked"]
    rotated_from: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyAnswer":
        """The key on the wire."""
        return cls(
            id=key.id,
            name=key.name,
            tenant_id=key.tenant_id,
            tenant=key.tenant_name,
            user_id=key.user_id,
            environment=key.environment,
            scopes=sorted(key.scopes),
            models=None if key.models is None else sorted(key.models),
            limits=KeyLimitsAnswer.model_validate(key.limits, from_attributes=True),
            state=key.state(utc_now()),
            rotated_from=key.rotated_from,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class NewKeyAnswer(KeyAnswer):
    """A new key with its text, which is shown this once."""

    key: str

    @classmethod
    def made(cls, key: ApiKey, text: str) -> "NewKeyAnswer":
        """The new key on the wire."""
        return cls(key=text, **dict(KeyAnswer.of(key)))


class RotationAnswer(NewKeyAnswer):
    """A key's successor with its text, which is shown this once."""

    previous: KeyAnswer

    @classmethod
    def rotated(cls, old: ApiKey, new: ApiKey, text: str) -> "RotationAnswer":
        """The rotation on the wire."""
        return cls(previous=KeyAnswer.of(old), key=text, **dict(KeyAnswer.of(new)))


class KeyPage(AdminAnswer):
    """A page of keys."""

    items: list[KeyAnswer]
    next: str | None

    @classmethod
    def of(cls, page: Page[ApiKey]) -> "KeyPage":
        """The page on the wire."""
        return cls(items=[KeyAnswer.of(key) for key in page.items], next=page.next)
