"""What a key may be, given who makes or changes it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from gateway.exceptions import QuotaEscalation
from gateway.models.accounts import UNSET, Plan, Unset
from gateway.models.keys import ApiKey, KeyLimits
from gateway.models.permissions import PERMISSIONS, grants
from gateway.services.authority import Actor
from shared.db.base import utc_now
from shared.problem import InvalidField


def check_scopes(scopes: frozenset[str]) -> None:
    """Refuse scopes that would mean nothing.

    Raises:
        InvalidField: Code `unknown_scope`.
    """
    if not scopes or any(scope not in PERMISSIONS for scope in scopes):
        raise InvalidField("Name permissions that exist.", pointer="/scopes", code="unknown_scope")


def check_expiry(expires_at: datetime | None) -> None:
    """Refuse a key that would be born expired.

    Raises:
        InvalidField: The time is past.
    """
    if expires_at is not None and expires_at <= utc_now():
        raise InvalidField("This time is past.", pointer="/expires_at")


def check_limits(
    actor: Actor, wanted: Mapping[str, int | None], plan: Plan | None, defaults: KeyLimits
) -> None:
    """Refuse quotas beyond the plan's, or else the gateway's, but for platform administrators.

    Args:
        actor: Who wants them.
        wanted: By name of `KeyLimits`.
        plan: The organization's.
        defaults: The gateway's; None there is no bound.

    Raises:
        QuotaEscalation: One is higher.
    """
    if actor.is_platform_admin:
        return
    planned = {
        "per_minute": plan.per_minute if plan else None,
        "per_hour": plan.per_hour if plan else None,
        "per_day": plan.per_day if plan else None,
        "max_concurrent": plan.max_concurrent_per_key if plan else None,
    }
    for name, value in wanted.items():
        ceiling = planned[name] or getattr(defaults, name)
        if value is not None and ceiling is not None and value > ceiling:
            raise QuotaEscalation("A key cannot have more than its organization's plan gives.")


def with_scopes(actor: Actor, key: ApiKey, scopes: frozenset[str] | Unset) -> ApiKey:
    """The key with other scopes: fewer, or such as the actor holds.

    Raises:
        InvalidField: Code `unknown_scope`.
        PermissionEscalation: Neither.
    """
    if scopes is UNSET:
        return key
    check_scopes(scopes)
    actor.require_all(scope for scope in scopes if not grants(key.scopes, scope))
    return replace(key, scopes=scopes)


def with_models(actor: Actor, key: ApiKey, models: frozenset[str] | Unset | None) -> ApiKey:
    """The key with other models: fewer, or such as the actor may use.

    Raises:
        PermissionEscalation: Neither.
    """
    if models is UNSET:
        return key
    if key.models is not None and (models is None or not models <= key.models):
        actor.require_models(models)
    return replace(key, models=models)
