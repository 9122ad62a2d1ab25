"""Users' access tokens: short-lived EdDSA JWTs (RFC 9068) that name a session, no permissions."""

import re
import time
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.exceptions import CredentialRefused
from shared.issued import issued_later
from shared.tracing import new_request_id

ISSUER, AUDIENCE = "speechgate", "speechgate-api"
LIFETIME_S = 900
SUBJECT_PREFIX = "user:"
_ALGORITHM, _TYPE = "EdDSA", "at+jwt"
_HEADER = {"alg": _ALGORITHM, "typ": _TYPE}
_MAX_BYTES = 4096
_DOTS = 2
# One spelling of each: no padding, nothing that base64 ignores, 64 bytes of signature.
_FORM = re.compile(r"[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{85}[AQgw]")
_REQUIRED = ["iss", "aud", "sub", "tid", "sid", "iat", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    user_id: str
    tenant_id: str
    session_id: str
    expires_at: float


def looks_like_token(credential: str) -> bool:
    """Whether a credential has the form of a JWT; API keys contain no dot."""
    return credential.count(".") == _DOTS


class AccessTokens:
    """Issues and verifies access tokens.

    Their key is derived from the identity key (RFC 5869), so that there is one secret to keep; a
    token of one kind is no token of the other.

    Args:
        identity_private_key: Ed25519, PKCS8 PEM.
    """

    def __init__(self, identity_private_key: bytes) -> None:
        key = load_pem_private_key(identity_private_key, None)
        raw = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        seed = HKDF(SHA256(), 32, salt=None, info=b"speechgate access token v1").derive(raw)
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()

    def issue(self, user_id: str, tenant_id: str, session_id: str) -> str:
        """A token that is valid for `LIFETIME_S`."""
        now = int(time.time())
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": SUBJECT_PREFIX + user_id,
                "tid": tenant_id,
                "sid": session_id,
                "iat": now,
                "exp": now + LIFETIME_S,
                "jti": new_request_id(),
            },
            self._private,
            algorithm=_ALGORITHM,
            headers={"typ": _TYPE},
        )

    def verify(self, token: str) -> Claims:
        """What the token says.

        Raises:
            CredentialRefused: Codes `token_expired`, `token_invalid`.
        """
        if len(token) > _MAX_BYTES or _FORM.fullmatch(token) is None:
            raise _invalid()
        try:
            # Exactly this header: no other algorithm, no key that the token names itself.
            if jwt.get_unverified_header(token) != _HEADER:
                raise _invalid()
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _REQUIRED, "strict_aud": True, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError:
            raise CredentialRefused(
                "The access token has expired; refresh it.", code="token_expired"
            ) from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _invalid() from None
        subject, tenant, session = claims["sub"], claims["tid"], claims["sid"]
        if not all(isinstance(value, str) for value in (subject, tenant, session)):
            raise _invalid()
        if issued_later(claims):
            raise _invalid()
        if not subject.startswith(SUBJECT_PREFIX):
            raise _invalid()
        return Claims(subject.removeprefix(SUBJECT_PREFIX), tenant, session, float(claims["exp"]))


def _invalid() -> CredentialRefused:
    return CredentialRefused("The access token is not valid.", code="token_invalid")
