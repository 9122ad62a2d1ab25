"""Who sent a request, as the gateway knows it."""

from dataclasses import dataclass
from typing import Any

import orjson

from gateway.models.keys import ApiKey, KeyLimits
from gateway.models.limits import Policy
from shared.identity import Identity


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What caches keep of a key; times are Unix seconds.

    Attributes:
        verified_at: When the database last said this.
    """

    key_id: str
    tenant_id: str
    scopes: tuple[str, ...]
    limits: KeyLimits
    expires_at: float | None
    revoked: bool
    verified_at: float

    @classmethod
    def from_key(cls, key: ApiKey, verified_at: float) -> "KeyRecord":
        """The cached part of a stored key."""
        return cls(
            key.id,
            key.tenant_id,
            tuple(sorted(key.scopes)),
            key.limits,
            key.expires_at.timestamp() if key.expires_at else None,
            key.revoked_at is not None,
            verified_at,
        )

    def encode(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self)

    @classmethod
    def decode(cls, encoded: bytes) -> "KeyRecord":
        """From JSON."""
        members: dict[str, Any] = orjson.loads(encoded)
        members["limits"] = KeyLimits(**members["limits"])
        members["scopes"] = tuple(members["scopes"])
        return cls(**members)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated sender.

    Attributes:
        identity: What services are told.
        policy: The rate-limit windows of the key.
        expires_at: Unix seconds.
    """

    identity: Identity
    policy: Policy
    expires_at: float | None
