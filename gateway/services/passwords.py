"""Passwords: argon2id (RFC 9106), and what is too weak to be one."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.exceptions import PasswordWeak
from shared.problem import Unavailable

Result = TypeVar("Result")
MIN_LENGTH, MAX_LENGTH = 12, 128
_AT_ONCE, _MAX_WAITING = 2, 16
# A hash costs 19 MiB and tens of milliseconds: OWASP's parameters for argon2id.
_TIME_COST, _MEMORY_KIB, _PARALLELISM = 2, 19 * 1024, 1
_SALT_BYTES, _TAG_BYTES = 16, 32
_WORST = (
    "password",
    "passwort",
    "qwerty",
    "123456789",
    "letmein",
    "administrator",
    "changeme",
    "iloveyou",
    "welcome",
    "speechgate",
)
_MIN_DISTINCT = 5


class PasswordHasher:
    """Hashes and verifies, in threads, two at once: each costs memory and a core."""

    def __init__(self) -> None:
        self._argon2 = Argon2(
            time_cost=_TIME_COST,
            memory_cost=_MEMORY_KIB,
            parallelism=_PARALLELISM,
            hash_len=_TAG_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        # A hash of nothing: to compare with it costs what a user's costs, and never succeeds.
        salt, tag = (_b64(secrets.token_bytes(size)) for size in (_SALT_BYTES, _TAG_BYTES))
        self._dummy = f"$argon2id$v=19$m={_MEMORY_KIB},t={_TIME_COST},p={_PARALLELISM}${salt}${tag}"

    def check_policy(self, password: str, email: str = "") -> None:
        """Refuse what would be guessed.

        Raises:
            PasswordWeak: It is too short or long, the e-mail address, or one of the worst.
        """
        lowered = password.casefold()
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise PasswordWeak(f"Choose a password of {MIN_LENGTH} to {MAX_LENGTH} characters.")
        if email and (lowered in email.casefold() or email.casefold() in lowered):
            raise PasswordWeak("The password must not be the e-mail address.")
        plain = lowered.strip("0123456789!.?_-#* ")
        if plain in _WORST or len(set(lowered)) < _MIN_DISTINCT or plain == "":
            raise PasswordWeak("This password is one of the first that are guessed.")

    async def hash(self, password: str) -> str:
        """What is stored instead of a password.

        Raises:
            Unavailable: Too many others wait.
        """
        return await self._run(self._argon2.hash, _one_spelling(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; none stored costs the same and is never it.

        Raises:
            Unavailable: Too many others wait.
        """
        matches = await self._run(self._matches, stored or self._dummy, _one_spelling(password))
        return matches and bool(stored)

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than new ones are."""
        return self._argon2.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., Result], *arguments: str) -> Result:
        if self._waiting >= _MAX_WAITING:
            raise Unavailable("Too many logins at once; try again.", code="busy")
        self._waiting += 1
        try:
            async with self._places:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1


def _one_spelling(password: str) -> str:
    """Systems type the same letter as one code point or as two (RFC 8265 §4.2)."""
    return unicodedata.normalize("NFC", password)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()
