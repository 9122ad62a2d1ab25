"""Who sent a request, as the gateway knows it."""

from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

import orjson

from gateway.models.accounts import Plan
from gateway.models.keys import ApiKey, KeyLimits
from gateway.models.limits import Policy, make_policy
from gateway.models.permissions import PLATFORM_ADMIN, grants
from shared.identity import Identity

PrincipalKind = Literal["api_key", "user"]
NO_PLAN = "none"
"""The plan of an organization that has none, as metrics and logs call it."""


class Concurrency(NamedTuple):
    """Requests that may be in flight at once; None is unbounded."""

    per_key: int | None = None
    per_tenant: int | None = None


UNCAPPED = Concurrency()


def effective_limits(own: KeyLimits, plan: Plan | None) -> KeyLimits:
    """A key's own quotas, completed by its organization's plan."""
    if plan is None:
        return own
    return KeyLimits(
        own.per_minute or plan.per_minute,
        own.per_hour or plan.per_hour,
        own.per_day or plan.per_day,
        own.max_concurrent or plan.max_concurrent_per_key,
    )


def policy_of(limits: KeyLimits, default: Policy) -> Policy:
    """The windows of a sender."""
    return make_policy(
        limits.per_minute or default[0].quota,
        limits.per_hour or default[1].quota,
        limits.per_day or default[2].quota,
    )


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What caches keep of a key; times are Unix seconds.

    Attributes:
        limits: Its own, completed by its organization's plan.
        verified_at: When the database last said this.
        models: It may use; None is any.
        max_concurrent_per_tenant: Of its organization's plan.
        suspended: Its organization is.
        plan: Name of its organization's.
    """

    key_id: str
    tenant_id: str
    scopes: tuple[str, ...]
    limits: KeyLimits
    expires_at: float | None
    revoked: bool
    verified_at: float
    models: tuple[str, ...] | None = None
    max_concurrent_per_tenant: int | None = None
    suspended: bool = False
    plan: str = NO_PLAN

    @classmethod
    def from_key(cls, key: ApiKey, verified_at: float) -> "KeyRecord":
        """The cached part of a stored key."""
        return cls(
            key.id,
            key.tenant_id,
            tuple(sorted(key.scopes)),
            effective_limits(key.limits, key.plan),
            key.expires_at.timestamp() if key.expires_at else None,
            key.revoked_at is not None,
            verified_at,
            None if key.models is None else tuple(sorted(key.models)),
            key.plan.max_concurrent_per_tenant if key.plan else None,
            key.suspended,
            key.plan.name if key.plan else NO_PLAN,
        )

    def principal(self, default: Policy) -> "Principal":
        """The sender who presents this key."""
        models = None if self.models is None else frozenset(self.models)
        return Principal(
            Identity(self.key_id, self.tenant_id, frozenset(self.scopes), models),
            policy_of(self.limits, default),
            self.expires_at,
            concurrency=Concurrency(self.limits.max_concurrent, self.max_concurrent_per_tenant),
            models=models,
            plan=self.plan,
        )

    def encode(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self)

    @classmethod
    def decode(cls, encoded: bytes) -> "KeyRecord | None":
        """From JSON; None when a gateway of another version wrote it."""
        try:
            members: dict[str, Any] = orjson.loads(encoded)
            if members.keys() != _RECORD_MEMBERS:
                return None
            members["limits"] = KeyLimits(**members["limits"])
        except (ValueError, TypeError):
            return None
        members["scopes"] = tuple(members["scopes"])
        if members["models"] is not None:
            members["models"] = tuple(members["models"])
        return cls(**members)


_RECORD_MEMBERS = {member.name for member in fields(KeyRecord)}


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated sender.

    Attributes:
        identity: What services are told; its `subject` is the key id, or `user:<id>`.
        policy: The rate-limit windows.
        expires_at: Unix seconds; None is never.
        kind: How it was authenticated.
        concurrency: Caps on requests in flight.
        models: Models it may use; None is any.
        session_id: Of a user.
        plan: Name of its organization's.
    """

    identity: Identity
    policy: Policy
    expires_at: float | None
    kind: PrincipalKind = "api_key"
    concurrency: Concurrency = UNCAPPED
    models: frozenset[str] | None = None
    session_id: str | None = None
    plan: str = NO_PLAN

    def may(self, permission: str) -> bool:
        """Whether a permission is granted; `platform:admin` must be named."""
        return grants(self.identity.scopes, permission)

    @property
    def is_platform_admin(self) -> bool:
        """Whether it may reach into other organizations."""
        return PLATFORM_ADMIN in self.identity.scopes
