"""Organizations, their plans, their users, and what changes of them may say."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, Generic, Literal, TypeVar

from email_validator import EmailNotValidError, validate_email

Item = TypeVar("Item")


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"


UNSET: Final[Literal[Unset.UNSET]] = Unset.UNSET
"""A member that a change does not mention; None clears the member instead."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list, newest first.

    Attributes:
        items: What it holds.
        next: Cursor of the next page; None at the end.
    """

    items: tuple[Item, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Quotas that organizations share; None takes the gateway's default."""

    id: str
    name: str
    per_minute: int | None
    per_hour: int | None
    per_day: int | None
    max_concurrent_per_key: int | None
    max_concurrent_per_tenant: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant."""

    id: str
    name: str
    plan: Plan | None
    suspended_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    name: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class User:
    """A person who logs in with a password.

    Attributes:
        email: Lower case, unique in the installation.
        password_hash: argon2id, in its own text form.
        roles: Names, sorted.
        organization_suspended: Nobody of the organization may do anything.
        plan: The organization's.
    """

    id: str
    tenant_id: str
    email: str
    name: str
    password_hash: str = field(repr=False)
    roles: tuple[str, ...]
    disabled_at: datetime | None
    password_changed_at: datetime
    last_login_at: datetime | None
    created_at: datetime
    organization_suspended: bool
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a user shall be."""

    email: str
    name: str
    roles: frozenset[str]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What to change of a user.

    Attributes:
        name: For people.
        roles: All that it shall have.
        disabled: Whether it may log in.
        password: A new one; ends the sessions.
    """

    name: str | Unset = UNSET
    roles: frozenset[str] | Unset = UNSET
    disabled: bool | Unset = UNSET
    password: str | Unset = field(default=UNSET, repr=False)


@dataclass(frozen=True, slots=True)
class OrganizationChanges:
    """What to change of an organization; all but the name is for the platform's administrators.

    Attributes:
        name: Unique in the installation.
        plan_id: None leaves it with the gateway's defaults.
        suspended: Whether all of its keys and users are refused.
    """

    name: str | Unset = UNSET
    plan_id: str | Unset | None = UNSET
    suspended: bool | Unset = UNSET


def normalize_email(text: str) -> str:
    """The one form of an address that is stored and compared.

    Raises:
        ValueError: This is no address.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError("not an e-mail address") from error
