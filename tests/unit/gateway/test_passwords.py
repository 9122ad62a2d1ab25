"""Passwords: what is stored, what is refused, and that every verification is the same work."""

import asyncio
import re
import unicodedata
from typing import Any

import argon2
import pytest

from gateway.exceptions import PasswordWeak
from gateway.services.passwords import MAX_LENGTH, MIN_LENGTH, PasswordHasher
from shared.problem import Unavailable

GOOD = "correct horse battery staple"
OLD = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Work:
    """Counts what argon2 was made to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self._count(monkeypatch, "hash_secret")
        self._count(monkeypatch, "verify_secret")

    def _count(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        function = getattr(argon2._password_hasher, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            parameters = b"$".join(args[0].split(b"$")[:4]) if name == "verify_secret" else b""
            self.done.append(f"{name}{parameters.decode()}")
            return function(*args, **kwargs)

        monkeypatch.setattr(argon2._password_hasher, name, counted)


async def test_what_is_stored() -> None:
    hasher = PasswordHasher()
    first, second = await hasher.hash(GOOD), await hasher.hash(GOOD)
    # OWASP's least: 19 MiB, two passes; a salt of 128 bits and a tag of 256.
    form = r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
    assert re.fullmatch(form, first)
    assert re.fullmatch(form, second)
    assert first != second
    assert not hasher.outdated(first)
    assert await hasher.verify(first, GOOD)
    assert not await hasher.verify(first, GOOD + " ")
    assert not await hasher.verify(first, GOOD.upper())
    assert not await hasher.verify(first, "")


@pytest.mark.parametrize(
    "parameters",
    [
        {"time_cost": 1, "memory_cost": 19 * 1024, "parallelism": 1},
        {"time_cost": 2, "memory_cost": 12 * 1024, "parallelism": 1},
        {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 2},
        {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1, "hash_len": 16},
        {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1, "salt_len": 8},
        {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1, "type": argon2.Type.I},
    ],
)
async def test_a_hash_with_other_parameters_holds_but_is_outdated(
    parameters: dict[str, Any],
) -> None:
    hasher = PasswordHasher()
    stored = argon2.PasswordHasher(**parameters).hash(GOOD)
    assert await hasher.verify(stored, GOOD)
    assert not await hasher.verify(stored, "another password")
    assert hasher.outdated(stored)


@pytest.mark.parametrize("stored", [None, "", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$a$b"])
async def test_no_password_opens_what_has_none(stored: str | None) -> None:
    hasher = PasswordHasher()
    for password in ("", "x", "nobody's password", GOOD, "None"):
        assert not await hasher.verify(stored, password)


async def test_every_verification_is_one_of_the_same_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher()
    stored = await hasher.hash(GOOD)
    work = Work(monkeypatch)
    # The first of a process, too: nothing is prepared at the first unknown address.
    for asked in (None, stored, "", None, stored, ""):
        assert not await hasher.verify(asked, "not the password")
    assert work.done == ["verify_secret$argon2id$v=19$m=19456,t=2,p=1"] * 6


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * (MIN_LENGTH - 1),
        "abcdefghijk",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "password1234",
        "PASSWORD!!!!",
        "Passwort2024!",
        "qwerty123456",
        "1234567890123",
        "123456789-2024",
        "administrator",
        "Changeme!2345",
        "-----!!!!!.....?",
        "speechgate2026",
        "somebody@example.org",
        "SOMEBODY@example.org",
        "my somebody@example.org!",
        "abcdefgh" * 16 + "i",
        "ü1bcdefgh" * 20,
    ],
)
def test_a_password_that_would_be_guessed(password: str) -> None:
    with pytest.raises(PasswordWeak) as refused:
        PasswordHasher().check_policy(password, "somebody@example.org")
    assert (refused.value.status, refused.value.code) == (422, "weak_password")
    assert not password or password not in refused.value.detail


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "abcdefghijkl",
        "abcdefgh" * (MAX_LENGTH // 8),
        "жираф ест апельсины",
        "🦒" * 9 + "abcd",
        "nul\0inside a password",
    ],
)
async def test_a_password_that_is_good(password: str) -> None:
    hasher = PasswordHasher()
    hasher.check_policy(password, "somebody@example.org")
    stored = await hasher.hash(password)
    assert await hasher.verify(stored, password)
    # Nothing is cut off: neither behind NUL nor at the end.
    for other in (password[:-1], password.partition("\0")[0] + "?"):
        assert not await hasher.verify(stored, other)


async def test_both_spellings_of_a_letter_are_one_password() -> None:
    hasher = PasswordHasher()
    composed = unicodedata.normalize("NFC", "Äpfel süß und Öl für 3 Café")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    for first, second in ((composed, decomposed), (decomposed, composed)):
        assert await hasher.verify(await hasher.hash(first), second)


async def test_a_crowd_waits_in_a_short_queue() -> None:
    hasher = PasswordHasher()
    stored = OLD.hash(GOOD)
    answers = await asyncio.gather(
        *(hasher.verify(stored, GOOD) for _ in range(40)), return_exceptions=True
    )
    assert answers.count(True) == 16
    busy = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert (len(busy), busy[0].code, busy[0].status) == (24, "busy", 503)
    # The places are free again.
    assert await hasher.verify(stored, GOOD)
