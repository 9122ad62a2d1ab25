"""The gateway's signed statement to a service: who sent this request, and what they may do.

A short-lived EdDSA JWT (RFC 7519, RFC 8037) for one audience. Services trust nothing else.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jwt

from shared.issued import issued_later
from shared.problem import Unauthenticated
from shared.tracing import new_request_id

IDENTITY_HEADER = "x-sg-identity"
ISSUER = "speechgate-gateway"
LIFETIME_S = 60
_ALGORITHM = "EdDSA"
_REQUIRED = ["iss", "aud", "sub", "tid", "exp", "iat", "jti"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The sender of a request as a service sees it.

    Attributes:
        subject: Id of the API key or user.
        tenant_id: Organization that owns every row the request makes.
        scopes: What the sender may do, e.g. `asr:infer`; `*` is everything.
        models: Models that the sender may use; None is any.
    """

    subject: str
    tenant_id: str
    scopes: frozenset[str]
    models: frozenset[str] | None = None

    def allows(self, scope: str) -> bool:
        """Whether the scope was granted."""
        return "*" in self.scopes or scope in self.scopes

    def may_use(self, model: str) -> bool:
        """Whether a model may serve the sender."""
        return self.models is None or model in self.models


class IdentityIssuer:
    """Mints identity tokens; the gateway's half.

    Tokens of one identity and audience are reused for half their lifetime: a signature costs
    more than the rest of the gateway's work on a request.
    """

    def __init__(self, private_key_pem: str, *, max_cached: int = 4096) -> None:
        self._key = private_key_pem
        self._cache: OrderedDict[tuple[Identity, str], _Issued] = OrderedDict()
        self._recent: dict[tuple[int, str], _Issued] = {}
        self._max_cached = max_cached

    @classmethod
    def from_file(cls, path: Path) -> "IdentityIssuer":
        """Read the private key (PKCS8 PEM)."""
        return cls(path.read_text())

    def issue(self, identity: Identity, audience: str, *, now: float | None = None) -> str:
        """A token for one service, valid for at least 30 and at most 60 seconds."""
        return self._issued(identity, audience, time.time() if now is None else now).token

    def issue_bytes(self, identity: Identity, audience: str) -> bytes:
        """`issue`, as a header's value; cheapest for an identity that is the same object."""
        now = time.time()
        # Hashing an identity takes longer than all else here. An entry keeps its identity alive,
        # so that an id cannot come to mean another one.
        recent = self._recent.get((id(identity), audience))
        if recent is not None and recent.fresh_until > now:
            return recent.encoded
        issued = self._issued(identity, audience, now)
        if len(self._recent) >= self._max_cached:
            self._recent.clear()
        self._recent[id(identity), audience] = issued._replace(identity=identity)
        return issued.encoded

    def _issued(self, identity: Identity, audience: str, now: float) -> "_Issued":
        cached = self._cache.get((identity, audience))
        if cached and cached.fresh_until > now:
            return cached
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": audience,
            "sub": identity.subject,
            "tid": identity.tenant_id,
            "scope": sorted(identity.scopes),
            "iat": int(now),
            "exp": int(now) + LIFETIME_S,
            "jti": new_request_id(),
        }
        if identity.models is not None:
            claims["models"] = sorted(identity.models)
        token = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        issued = _Issued(identity, now + LIFETIME_S / 2, token, token.encode())
        self._cache[(identity, audience)] = issued
        self._cache.move_to_end((identity, audience))
        if len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
        return issued


class _Issued(NamedTuple):
    identity: Identity
    fresh_until: float
    token: str
    encoded: bytes


class IdentityVerifier:
    """Checks identity tokens; a service's half."""

    def __init__(self, public_key_pem: str, audience: str, *, max_cached: int = 4096) -> None:
        self._key = public_key_pem
        self._audience = audience
        self._cache: OrderedDict[str, tuple[float, Identity]] = OrderedDict()
        self._max_cached = max_cached

    @classmethod
    def from_file(cls, path: Path, audience: str) -> "IdentityVerifier":
        """Read the public key (PEM)."""
        return cls(path.read_text(), audience)

    def verify(self, token: str | None) -> Identity:
        """The identity a token states.

        Raises:
            Unauthenticated: No token, a bad signature, another audience, or expired.
        """
        if not token:
            raise Unauthenticated(
                "This service answers only the gateway.", code="identity_required"
            )
        cached = self._cache.get(token)
        if cached and cached[0] > time.time():
            return cached[1]
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                options={"require": _REQUIRED, "verify_iat": False},
            )
        except jwt.PyJWTError as error:
            raise _invalid() from error
        if issued_later(claims):
            raise _invalid()
        named = claims.get("models")
        models = None if named is None else frozenset(named)
        identity = Identity(
            claims["sub"], claims["tid"], frozenset(claims.get("scope", ())), models
        )
        self._cache[token] = (float(claims["exp"]), identity)
        if len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
        return identity


def _invalid() -> Unauthenticated:
    return Unauthenticated("The identity token is not valid.", code="identity_invalid")
