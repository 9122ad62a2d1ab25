"""API keys: their text form and what is known about one.

    sg_live_<12 base62 id>_<43 base62 secret><6 base62 CRC-32>

The CRC covers everything before it, so that a typing error or a scanner's guess is refused
without any I/O. The secret has 256 bits.
"""

import re
import secrets
import string
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gateway.exceptions import CredentialRefused
from gateway.models.accounts import UNSET, Plan, Unset

Environment = Literal["live", "test"]
KeyState = Literal["active", "expired", "revoked"]
ID_LENGTH, SECRET_LENGTH, CRC_LENGTH = 12, 43, 6
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(r"sg_(?:live|test)_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """A key's own quotas; None takes its organization's plan, or else the gateway's default.

    Attributes:
        max_concurrent: Requests in flight at once.
    """

    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    max_concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key; the key itself is not among what is stored.

    Attributes:
        hmac: HMAC-SHA-256 of the whole key under the pepper of `pepper_version`.
        user_id: Who made it; None for the operator, another key, or a deleted user.
        models: Models that it may use; None is any.
        rotated_from: The key that it succeeds.
        suspended: Its organization is.
        plan: Its organization's.
    """

    id: str
    tenant_id: str
    tenant_name: str
    name: str
    environment: str
    hmac: bytes
    pepper_version: int
    scopes: frozenset[str]
    limits: KeyLimits
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    user_id: str | None = None
    models: frozenset[str] | None = None
    rotated_from: str | None = None
    suspended: bool = False
    plan: Plan | None = None

    def state(self, now: datetime) -> KeyState:
        """Whether it works, as far as it depends on the key alone."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.expires_at is None or self.expires_at > now else "expired"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key shall be.

    Attributes:
        name: For people.
        scopes: What it may do.
        limits: Its own quotas.
        models: Models that it may use; None is any.
        expires_at: None is never.
        environment: Part of its prefix.
    """

    name: str
    scopes: frozenset[str]
    limits: KeyLimits = KeyLimits()
    models: frozenset[str] | None = None
    expires_at: datetime | None = None
    environment: Environment = "live"


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What to change of a key.

    Attributes:
        limits: By name of `KeyLimits`; what is absent stays.
    """

    name: str | Unset = UNSET
    scopes: frozenset[str] | Unset = UNSET
    models: frozenset[str] | Unset | None = UNSET
    expires_at: datetime | Unset | None = UNSET
    limits: Mapping[str, int | None] = field(default_factory=dict)


def _checksum(text: str) -> str:
    value, digits = zlib.crc32(text.encode()), ""
    for _ in range(CRC_LENGTH):
        value, digit = divmod(value, 62)
        digits = BASE62[digit] + digits
    return digits


def generate_key(environment: Environment) -> tuple[str, str]:
    """A new key and its id."""
    key_id = "".join(secrets.choice(BASE62) for _ in range(ID_LENGTH))
    secret = "".join(secrets.choice(BASE62) for _ in range(SECRET_LENGTH))
    text = f"sg_{environment}_{key_id}_{secret}"
    return text + _checksum(text), key_id


def key_id_of(key: str) -> str:
    """The id inside a key whose form and checksum are right.

    Raises:
        CredentialRefused: Code `key_malformed`.
    """
    match = _KEY.fullmatch(key)
    if match is None or _checksum(key[:-CRC_LENGTH]) != key[-CRC_LENGTH:]:
        raise CredentialRefused("The API key is not well-formed.", code="key_malformed")
    return match[1]
