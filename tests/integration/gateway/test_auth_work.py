"""Logins and key checks over real databases: the same work whatever is wrong, and no lost race.

Work is counted, not timed: a clock would show the machine's mood as well.
"""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import argon2
import pytest
from prometheus_client import Gauge

from gateway.db.dependency import Dependency
from gateway.exceptions import LoginFailed
from gateway.models.accounts import User, UserChanges
from gateway.models.keys import _checksum, generate_key
from gateway.models.sessions import Tokens
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.repositories.store import Database
from gateway.services import hashing
from gateway.services.authority import OPERATOR
from gateway.services.hashing import KeyHasher
from gateway.services.key_records import KeyRecords
from gateway.services.login import LoginService
from gateway.services.passwords import PasswordHasher
from gateway.services.tokens import AccessTokens
from shared.db.base import utc_now
from shared.db.engine import create_engine
from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import PASSWORD

WEAKER = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Passwords(PasswordHasher):
    """Lets something happen while a password is verified."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def verify(self, stored: str | None, password: str) -> bool:
        right = await super().verify(stored, password)
        if self.meanwhile is not None:
            await self.meanwhile()
        return right


class Logins:
    """The service of a gateway, in this process."""

    def __init__(self, running: Running, database: Database) -> None:
        self.installation = running.installation
        self.database = database
        self.passwords = Passwords()
        folder = self.installation.folder
        self.hasher = KeyHasher.from_files(1, folder / "pepper", {})
        tokens = AccessTokens((folder / "identity.pem").read_bytes())
        self.service = LoginService(
            *(database, self.passwords, tokens, self.hasher, MemoryLimiter(), self.forget)
        )

    async def forget(self, holder: str) -> None:
        assert holder.startswith("user:")

    async def login(self, email: str, password: str = PASSWORD) -> Tokens:
        return await self.service.login(email, password, address="::1", user_agent="")

    async def stored(self, user: User) -> User:
        async with self.database.transaction(read_only=True) as store:
            found = await store.users.find(user.id)
        assert found is not None
        return found

    async def store_hash(self, user: User, password_hash: str) -> None:
        async with self.database.transaction() as store:
            await store.users.set_password(user.id, password_hash, user.password_changed_at)

    async def sessions(self, user: User) -> int:
        async with self.database.transaction(read_only=True) as store:
            return len(await store.sessions.list_live(user.id, utc_now()))


@pytest.fixture
async def logins(running: Running) -> AsyncIterator[Logins]:
    engine = create_engine(running.installation.database_url, pool_size=4)
    yield Logins(running, Database(engine))
    await engine.dispose()


async def test_every_failed_login_is_one_verification(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await logins.installation.create_user("user")
    without = await logins.installation.create_user("user")
    disabled = await logins.installation.create_user("user")
    await logins.store_hash(without, "")
    async with logins.installation.services() as services:
        changes = UserChanges(disabled=True)
        await services.accounts.users.update(OPERATOR, disabled.id, changes)
    work: list[str] = []
    for name in ("hash_secret", "verify_secret"):
        function = getattr(argon2._password_hasher, name)

        def counted(*args: Any, _name: str = name, _function: Any = function, **more: Any) -> Any:
            work.append(_name)
            return _function(*args, **more)

        monkeypatch.setattr(argon2._password_hasher, name, counted)
    attempts = (
        # The first of this process is one of an unknown address.
        ("nobody@example.org", PASSWORD),
        ("not an address", PASSWORD),
        ("nul\0@example.org", PASSWORD),
        (known.email, "wrong " + PASSWORD),
        (without.email, PASSWORD),
        (without.email, "nobody's password"),
        (disabled.email, PASSWORD),
        (disabled.email, "wrong " + PASSWORD),
        ("nobody@example.org", PASSWORD),
    )
    told: set[tuple[str, str]] = set()
    for email, password in attempts:
        work.clear()
        with pytest.raises(LoginFailed) as refused:
            await logins.login(email, password)
        assert (email, work) == (email, ["verify_secret"])
        told.add((refused.value.code, refused.value.detail))
    assert len(told) == 1


async def test_unknown_keys_and_wrong_secrets_are_the_same_comparisons(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, key = await logins.installation.create_key()
    forged = f"sg_live_{stored.id}_{'A' * 43}"
    unknown, unknown_id = generate_key("live")
    up = Dependency(
        "database", logins.database.ping, Gauge("up", "", ["dependency"], registry=None)
    )
    records = KeyRecords(logins.database, up, None, logins.hasher)
    work: list[tuple[str, int, int]] = []

    def digest(pepper: bytes, message: bytes, algorithm: Any) -> bytes:
        work.append(("digest", len(pepper), len(message)))
        return hmac.digest(pepper, message, algorithm)

    def compare_digest(left: bytes, right: bytes) -> bool:
        work.append(("compare", len(left), len(right)))
        return hmac.compare_digest(left, right)

    monkeypatch.setattr(
        hashing, "hmac", SimpleNamespace(digest=digest, compare_digest=compare_digest)
    )
    seen: list[list[tuple[str, int, int]]] = []
    for presented, key_id in (
        (unknown, unknown_id),
        (forged + _checksum(forged), stored.id),
        (key, stored.id),
    ):
        work.clear()
        record = await records.ask_database(presented, key_id)
        assert (record is not None) is (presented == key)
        seen.append(list(work))
    assert seen == [[("digest", 64, len(key)), ("compare", 32, 32)]] * 3


async def test_an_old_hash_is_renewed_at_the_next_login(logins: Logins) -> None:
    user = await logins.installation.create_user("user")
    old = WEAKER.hash(PASSWORD)
    await logins.store_hash(user, old)
    with pytest.raises(LoginFailed):
        await logins.login(user.email, "wrong " + PASSWORD)
    assert (await logins.stored(user)).password_hash == old
    await logins.login(user.email)
    renewed = await logins.stored(user)
    assert renewed.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert renewed.password_changed_at == user.password_changed_at
    await logins.login(user.email)
    assert (await logins.stored(user)).password_hash == renewed.password_hash


@pytest.mark.parametrize("outdated", [False, True])
async def test_a_login_overtaken_by_a_new_password_begins_no_session(
    logins: Logins, *, outdated: bool
) -> None:
    user = await logins.installation.create_user("user")
    if outdated:
        await logins.store_hash(user, WEAKER.hash(PASSWORD))

    async def replace() -> None:
        logins.passwords.meanwhile = None
        async with logins.installation.services() as services:
            changes = UserChanges(password="another long password")  # noqa: S106
            await services.accounts.users.update(OPERATOR, user.id, changes)

    logins.passwords.meanwhile = replace
    with pytest.raises(LoginFailed):
        await logins.login(user.email)
    assert await logins.sessions(user) == 0
    # Nor did the renewed hash of the old password replace the new one.
    await logins.login(user.email, "another long password")


@pytest.mark.parametrize("end", ["disable", "delete"])
async def test_a_login_overtaken_by_the_end_of_the_account(logins: Logins, end: str) -> None:
    user = await logins.installation.create_user("user")

    async def finish() -> None:
        async with logins.installation.services() as services:
            users = services.accounts.users
            if end == "disable":
                await users.update(OPERATOR, user.id, UserChanges(disabled=True))
            else:
                await users.delete(OPERATOR, user.id)

    logins.passwords.meanwhile = finish
    with pytest.raises(LoginFailed):
        await logins.login(user.email)
    assert await logins.sessions(user) == 0


async def test_what_is_stored_of_a_refresh_token_is_its_hmac(logins: Logins) -> None:
    user = await logins.installation.create_user("user")
    tokens = await logins.login(user.email)
    assert tokens.refresh_token not in repr(tokens)
    assert tokens.access_token not in repr(tokens)
    async with logins.database.transaction(read_only=True) as store:
        digest = logins.hasher.digest(tokens.refresh_token)
        found = await store.sessions.find_by_token(digest)
        assert found is not None
        assert found.user_id == user.id
        assert await store.sessions.find_by_token(tokens.refresh_token.encode()) is None
