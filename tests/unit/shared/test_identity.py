import base64
import hashlib
import hmac
import json
import time
from datetime import datetime
from typing import Any

import jwt
import pytest

from shared.identity import ISSUER, Identity, IdentityIssuer, IdentityVerifier
from shared.problem import Unauthenticated

IDENTITY = Identity("key-1", "tenant-1", frozenset({"asr:infer"}))
KeyPair = tuple[str, str]


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    base = {
        "iss": ISSUER,
        "aud": "asr",
        "sub": "key-1",
        "tid": "tenant-1",
        "iat": now,
        "exp": now + 30,
        "jti": "1",
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def test_a_token_states_who_sent_the_request(key_pair: KeyPair) -> None:
    token = IdentityIssuer(key_pair[0]).issue(IDENTITY, "asr")
    verifier = IdentityVerifier(key_pair[1], "asr")
    assert verifier.verify(token) == IDENTITY
    assert verifier.verify(token) == IDENTITY, "the remembered answer is the same"


def test_scopes() -> None:
    assert IDENTITY.allows("asr:infer")
    assert not IDENTITY.allows("asr:read")
    assert Identity("a", "b", frozenset({"*"})).allows("anything")


def test_a_token_lives_at_most_a_minute(key_pair: KeyPair) -> None:
    token = IdentityIssuer(key_pair[0]).issue(IDENTITY, "asr")
    found = jwt.decode(token, options={"verify_signature": False})
    assert found["exp"] - found["iat"] <= 60


def test_tokens_are_reused_for_half_their_life(key_pair: KeyPair) -> None:
    issuer = IdentityIssuer(key_pair[0])
    first = issuer.issue(IDENTITY, "asr", now=1000.0)
    assert issuer.issue(IDENTITY, "asr", now=1029.0) == first
    assert issuer.issue(IDENTITY, "asr", now=1031.0) != first
    assert issuer.issue(IDENTITY, "tts", now=1000.0) != first


def test_clocks_of_machines_may_differ_a_little(key_pair: KeyPair) -> None:
    token = IdentityIssuer(key_pair[0]).issue(IDENTITY, "asr", now=time.time() + 3)
    assert IdentityVerifier(key_pair[1], "asr").verify(token) == IDENTITY


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c"])
def test_no_token(key_pair: KeyPair, token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        IdentityVerifier(key_pair[1], "asr").verify(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "tts"},
        {"aud": None},
        {"iss": "someone"},
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"iat": 2**33},
        {"iat": "now"},
        {"iat": None},
        {"sub": None},
        {"tid": None},
        {"jti": None},
    ],
)
def test_wrong_claims(key_pair: KeyPair, changes: dict[str, Any]) -> None:
    token = jwt.encode(claims(**changes), key_pair[0], algorithm="EdDSA")
    with pytest.raises(Unauthenticated):
        IdentityVerifier(key_pair[1], "asr").verify(token)


def test_another_signer(key_pair: KeyPair, other_key_pair: KeyPair) -> None:
    token = IdentityIssuer(other_key_pair[0]).issue(IDENTITY, "asr")
    with pytest.raises(Unauthenticated):
        IdentityVerifier(key_pair[1], "asr").verify(token)


def test_algorithm_confusion(key_pair: KeyPair) -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims())}."
    verifier = IdentityVerifier(key_pair[1], "asr")
    with pytest.raises(Unauthenticated):
        verifier.verify(unsigned)
    # The public key used as an HMAC secret; PyJWT refuses to sign so, an attacker would not.
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    mac = hmac.new(key_pair[1].encode(), signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(Unauthenticated):
        verifier.verify(forged)


def test_a_remembered_token_still_expires(
    key_pair: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = IdentityVerifier(key_pair[1], "asr")
    token = jwt.encode(claims(), key_pair[0], algorithm="EdDSA")
    verifier.verify(token)
    later = time.time() + 31
    monkeypatch.setattr("shared.identity.time.time", lambda: later)
    with monkeypatch.context() as patch:
        patch.setattr("jwt.api_jwt.datetime", _Clock(later))
        with pytest.raises(Unauthenticated):
            verifier.verify(token)


class _Clock:
    """Stands in for `datetime` where PyJWT asks the time."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self, tz: Any = None) -> Any:
        return datetime.fromtimestamp(self._now, tz)
