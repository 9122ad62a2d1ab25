"""Access tokens that must be refused: every known confusion of JWTs."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.services.tokens import AUDIENCE, ISSUER, AccessTokens
from shared.identity import Identity, IdentityIssuer

Signer = Callable[[bytes], bytes]
HEADER: Mapping[str, object] = {"alg": "EdDSA", "typ": "at+jwt"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value: object) -> str:
    return b64(json.dumps(value, separators=(",", ":")).encode())


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Forger:
    """Signs what it is told, with the gateway's own key unless told otherwise.

    Args:
        pem: The identity key of the gateway.
        session: Members of a token that the gateway issued; a forgery differs in one thing.
    """

    def __init__(self, pem: bytes, **session: str) -> None:
        self.pem = pem
        self.key = AccessTokens(pem)._private
        self.session = {"sub": "user:u", "tid": "t", "sid": "s", **session}

    def claims(self, **changes: object) -> dict[str, object]:
        """Good claims but for `changes`; None takes a claim away."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 600,
            "jti": "j",
            **self.session,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(
        self,
        claims: Mapping[str, object] | None = None,
        *,
        header: Mapping[str, object] = HEADER,
        signer: Signer | None = None,
    ) -> str:
        signed = f"{compact(header)}.{compact(self.claims() if claims is None else claims)}"
        return f"{signed}.{b64((signer or self.key.sign)(signed.encode()))}"

    def headed(self, **members: object) -> str:
        return self.sign(header={**HEADER, **members})

    def hs256(self, secret: bytes, algorithm: str = "HS256") -> str:
        return self.sign(
            header={**HEADER, "alg": algorithm},
            signer=lambda data: hmac.digest(secret, data, hashlib.sha256),
        )

    def public(self, encoding: Encoding, form: PublicFormat) -> bytes:
        return self.key.public_key().public_bytes(encoding, form)

    def identity(self, **members: Any) -> str:
        """What the gateway tells a service, signed with the identity key itself."""
        identity = Identity(self.session["sub"], self.session["tid"], frozenset({"*"}))
        return IdentityIssuer(self.pem.decode()).issue(identity, **members)


def _rs256(forger: Forger) -> str:
    def signer(data: bytes) -> bytes:
        return _rsa().sign(data, padding.PKCS1v15(), SHA256())

    return forger.sign(header={**HEADER, "alg": "RS256"}, signer=signer)


def _key_in_header(forger: Forger) -> str:
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    return forger.sign(header={**HEADER, "jwk": jwk}, signer=own.sign)


def _swapped(forger: Forger) -> str:
    """Another session's claims under a valid signature."""
    header, _, signature = forger.sign().split(".")
    return f"{header}.{compact(forger.claims(sid='other'))}.{signature}"


def _by(signer: Signer) -> Callable[[Forger], str]:
    return lambda forger: forger.sign(signer=signer)


def _claiming(**changes: object) -> Callable[[Forger], str]:
    return lambda forger: forger.sign(forger.claims(**changes))


def _headed(**members: object) -> Callable[[Forger], str]:
    return lambda forger: forger.headed(**members)


def _in(seconds: int) -> int:
    return int(time.time()) + seconds


_PEM, _RAW = Encoding.PEM, Encoding.Raw
_SPKI, _BARE = PublicFormat.SubjectPublicKeyInfo, PublicFormat.Raw

FORGED: Mapping[str, Callable[[Forger], str]] = {
    "alg-none": lambda f: f.sign(header={**HEADER, "alg": "none"}, signer=lambda _: b""),
    "alg-None": lambda f: f.sign(header={**HEADER, "alg": "None"}, signer=lambda _: b""),
    "alg-none-signed": _headed(alg="none"),
    "alg-absent": lambda f: f.sign(header={"typ": "at+jwt"}),
    "alg-number": _headed(alg=1),
    "alg-list": _headed(alg=["EdDSA"]),
    "hs256-public-pem": lambda f: f.hs256(f.public(_PEM, _SPKI)),
    "hs256-public-raw": lambda f: f.hs256(f.public(_RAW, _BARE)),
    "hs256-public-der": lambda f: f.hs256(f.public(Encoding.DER, _SPKI)),
    "eddsa-but-hmac": lambda f: f.hs256(f.public(_RAW, _BARE), "EdDSA"),
    "hs256-empty-secret": lambda f: f.hs256(b""),
    "rs256": _rs256,
    "another-key": _by(Ed25519PrivateKey.generate().sign),
    "no-signature": _by(lambda _: b""),
    "zero-signature": _by(lambda _: bytes(64)),
    "short-signature": lambda f: f.sign()[:-8],
    "swapped-claims": _swapped,
    "typ-JWT": _headed(typ="JWT"),
    "typ-absent": lambda f: f.sign(header={"alg": "EdDSA"}),
    "typ-upper-case": _headed(typ="AT+JWT"),
    "typ-media-type": _headed(typ="application/at+jwt"),
    "header-kid": _headed(kid="../../dev/null"),
    "header-jku": _headed(jku="https://example.org/jwks.json"),
    "header-x5u": _headed(x5u="https://example.org/key.pem"),
    "header-x5c": _headed(x5c=["AAAA"]),
    "header-jwk": _key_in_header,
    "header-crit": _headed(crit=["exp"]),
    "header-b64": _headed(b64=False, crit=["b64"]),
    "header-zip": _headed(zip="DEF"),
    "header-deep": lambda f: f"{b64(b'[' * 2_000)}.{compact(f.claims())}.{'A' * 86}",
    "header-long-number": lambda _: f"{b64(b'1' * 2_900)}.e30.{'A' * 86}",
    "header-list": lambda f: f"{compact([])}.{compact(f.claims())}.{'A' * 86}",
    "header-not-json": lambda f: f"{b64(b'{alg')}.{compact(f.claims())}.{'A' * 86}",
    "aud-other": _claiming(aud="asr"),
    "aud-list": _claiming(aud=[AUDIENCE, "asr"]),
    "aud-absent": _claiming(aud=None),
    "iss-other": _claiming(iss="speechgate-gateway"),
    "iss-list": _claiming(iss=[ISSUER]),
    "iss-absent": _claiming(iss=None),
    "expired": lambda f: f.sign(f.claims(iat=_in(-900), exp=_in(-1))),
    "nbf-future": lambda f: f.sign(f.claims(nbf=_in(300))),
    "iat-future": lambda f: f.sign(f.claims(iat=_in(300))),
    "iat-later-than-clocks-differ": lambda f: f.sign(f.claims(iat=_in(30))),
    "iat-text": _claiming(iat="now"),
    "iat-absent": _claiming(iat=None),
    "sub-absent": _claiming(sub=None),
    "sub-number": _claiming(sub=1),
    "sub-key": _claiming(sub="0123456789ab"),
    "tid-absent": _claiming(tid=None),
    "sid-absent": _claiming(sid=None),
    "sid-list": _claiming(sid=["s"]),
    "exp-absent": _claiming(exp=None),
    "exp-text": _claiming(exp="never"),
    "jti-absent": _claiming(jti=None),
    "claims-list": lambda f: f.sign([]),  # type: ignore[arg-type] # on purpose
    "identity-token": lambda f: f.identity(audience="asr"),
    "identity-token-audience": lambda f: f.identity(audience=AUDIENCE),
    "truncated": lambda f: f.sign()[:-40],
    "without-claims": lambda f: "{0}..{2}".format(*f.sign().split(".")),
    "dots": lambda _: "..",
    "huge": lambda f: f.sign(f.claims(more="x" * 4_096)),
    "not-ascii": lambda f: f.sign()[:-4] + "\xe9\xff\xe9\xff",
    "padded": lambda f: f.sign() + "==",
    "trailing-newline": lambda f: f.sign() + "\n",
    "ignored-characters": lambda f: f.sign()[:-9] + "!*" + f.sign()[-9:],
}
"""By name; `expired` alone is refused as `token_expired`."""
