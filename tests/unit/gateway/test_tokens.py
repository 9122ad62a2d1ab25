"""Users' access tokens: what is issued is accepted, and nothing else."""

import time
from collections.abc import Callable
from itertools import pairwise

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.exceptions import CredentialRefused
from gateway.models.keys import generate_key
from gateway.services.tokens import LIFETIME_S, AccessTokens, Claims, looks_like_token
from shared.identity import Identity, IdentityIssuer, IdentityVerifier
from shared.problem import Unauthenticated
from tests.support.forged_tokens import FORGED, Forger

PRIVATE = Ed25519PrivateKey.generate()
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
TOKENS, FORGER = AccessTokens(PEM), Forger(PEM)


def refusal(token: str) -> str:
    with pytest.raises(CredentialRefused) as refused:
        TOKENS.verify(token)
    assert len(token) < 20 or token not in f"{refused.value} {refused.value.detail}"
    return refused.value.code


def test_clocks_of_gateways_may_differ_a_little() -> None:
    token = FORGER.sign(FORGER.claims(iat=int(time.time()) + 3))
    assert TOKENS.verify(token).user_id


def test_an_issued_token_says_who_and_for_how_long() -> None:
    token = TOKENS.issue("u1", "t1", "s1")
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"iss", "aud", "sub", "tid", "sid", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == LIFETIME_S == 900
    assert TOKENS.verify(token) == Claims("u1", "t1", "s1", float(claims["exp"]))
    assert looks_like_token(token)


def test_two_tokens_of_one_session_differ() -> None:
    assert TOKENS.issue("u", "t", "s") != TOKENS.issue("u", "t", "s")


def test_the_forger_can_forge() -> None:
    """Otherwise every refusal below could be the forger's own mistake."""
    assert TOKENS.verify(FORGER.sign()).session_id == "s"


@pytest.mark.parametrize(("name", "forge"), FORGED.items(), ids=FORGED.keys())
def test_a_forged_token_is_refused(name: str, forge: Callable[[Forger], str]) -> None:
    assert refusal(forge(FORGER)) == ("token_expired" if name == "expired" else "token_invalid")


def test_every_shortened_token_is_refused() -> None:
    token = TOKENS.issue("u", "t", "s")
    for length in range(len(token)):
        assert refusal(token[:length]) == "token_invalid"


def test_every_altered_character_is_refused() -> None:
    token = TOKENS.issue("u", "t", "s")
    for position in range(len(token)):
        # Of the last character base64 reads two bits; no other spelling is accepted either.
        other = "B" if token[position] == "A" else "A" if position < len(token) - 1 else "x"
        assert refusal(token[:position] + other + token[position + 1 :]) == "token_invalid"


def test_a_token_of_another_installation_is_refused() -> None:
    other = Ed25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert refusal(AccessTokens(pem).issue("u", "t", "s")) == "token_invalid"


def test_two_gateways_with_one_key_accept_each_others_tokens() -> None:
    assert AccessTokens(PEM).verify(TOKENS.issue("u", "t", "s")).user_id == "u"


@pytest.mark.parametrize("audience", ["asr", "tts", "nlp", "speechgate-api"])
def test_an_access_token_is_no_identity_token(audience: str) -> None:
    verifier = IdentityVerifier(PUBLIC, audience)
    identity = Identity("user:u", "t", frozenset({"*"}))
    assert verifier.verify(IdentityIssuer(PEM.decode()).issue(identity, audience)) == identity
    with pytest.raises(Unauthenticated):
        verifier.verify(TOKENS.issue("u", "t", "s"))
    # Nor with the claims of one: the key is another.
    claims = FORGER.claims(iss="speechgate-gateway", aud=audience, scope=["*"])
    with pytest.raises(Unauthenticated):
        verifier.verify(FORGER.sign(claims))


def test_the_signing_key_is_not_the_identity_key() -> None:
    raw = [
        key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        for key in (PRIVATE, TOKENS._private, AccessTokens(PEM)._private)
    ]
    assert raw[0] != raw[1] == raw[2]


def test_a_key_is_never_taken_for_a_token() -> None:
    for left, right in pairwise(generate_key("live")[0] for _ in range(20)):
        assert not looks_like_token(left)
        assert left != right
