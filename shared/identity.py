"""The gateway's signed statement to a service: who sent this request, and what they may do.

A short-lived EdDSA JWT (RFC 7519, RFC 8037) for one audience. Services trust nothing else.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

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
    """

    subject: str
    tenant_id: str
    scopes: frozenset[str]

    def allows(self, scope: str) -> bool:
        """Whether the scope was granted."""
        return "*" in self.scopes or scope in self.scopes


class IdentityIssuer:
    """Mints identity tokens; the gateway's half.

    Tokens of one identity and audience are reused for half their lifetime: a signature costs
    more than the rest of the gateway's work on a request.
    """

    def __init__(self, private_key_pem: str, *, max_cached: int = 4096) -> None:
        self._key = private_key_pem
        self._cache: OrderedDict[tuple[Identity, str], tuple[float, str]] = OrderedDict()
        self._max_cached = max_cached

    @classmethod
    def from_file(cls, path: Path) -> "IdentityIssuer":
        """Read the private key (PKCS8 PEM)."""
        return cls(path.read_text())

    def issue(self, identity: Identity, audience: str, *, now: float | None = None) -> str:
        """A token for one service, valid for at least 30 and at most 60 seconds."""
        now = time.time() if now is None else now
        cached = self._cache.get((identity, audience))
        if cached and cached[0] > now:
            return cached[1]
        token = jwt.encode(
            {
                "iss": ISSUER,
                "aud": audience,
                "sub": identity.subject,
                "tid": identity.tenant_id,
                "scope": sorted(identity.scopes),
                "iat": int(now),
                "exp": int(now) + LIFETIME_S,
                "jti": new_request_id(),
            },
            self._key,
            algorithm=_ALGORITHM,
        )
        self._cache[(identity, audience)] = (now + LIFETIME_S / 2, token)
        self._cache.move_to_end((identity, audience))
        if len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
        return token


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
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(
                "The identity token is not valid.", code="identity_invalid"
            ) from error
        identity = Identity(claims["sub"], claims["tid"], frozenset(claims.get("scope", ())))
        self._cache[token] = (float(claims["exp"]), identity)
        if len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
        return identity
