"""What logins and access tokens are refused with, on both stacks, and what is never told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import httpx
import jwt
import pytest

from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import PASSWORD, bearer, problem, upstream_stats
from tests.integration.gateway.logins import (
    AUTH,
    USERS,
    People,
    browser,
    new_address,
    open_people,
    told,
)
from tests.support.forged_tokens import FORGED, Forger
from tests.support.poll import eventually

FAILED, THROTTLED = (401, "login_failed"), (429, "login_throttled")
UNSENDABLE = {"trailing-newline"}  # In a header field.
VOICES = "/api/v1/tts/voices"


@pytest.fixture
async def people(running: Running) -> AsyncIterator[People]:
    async with open_people(running.installation, running.gateway) as opened:
        yield opened


def login_body(email: str, password: str = PASSWORD) -> dict[str, str]:
    return {"email": email, "password": password}


async def test_every_forged_token_is_401_everywhere(running: Running, people: People) -> None:
    person = await people.person("admin")
    claims = jwt.decode(person.access, options={"verify_signature": False})
    pem = (running.installation.folder / "identity.pem").read_bytes()
    forger = Forger(pem, **{name: claims[name] for name in ("sub", "tid", "sid")})

    async def ask(path: str, token: str) -> httpx.Response:
        presented = {b"Authorization": b"Bearer " + token.encode("latin-1")}
        return await person.client.get(path, headers=presented)

    for path in (VOICES, USERS, f"{AUTH}/me"):
        # The forger can: what it changes below is what is refused.
        assert told(await ask(path, forger.sign())) == (200, "")
    before = (await upstream_stats(running.upstream.url))["requests"]
    for name, forge in FORGED.items():
        if name in UNSENDABLE:
            continue
        for path in (VOICES, USERS, f"{AUTH}/me"):
            response = await ask(path, forge(forger))
            assert response.status_code == 401, (name, path)
            expected = {"token_expired"} if name == "expired" else {"token_invalid"}
            assert problem(response)["code"] in expected, (name, path)
            assert response.headers["www-authenticate"].startswith("Bearer")
    assert (await upstream_stats(running.upstream.url))["requests"] == before


async def test_neither_other_secret_is_an_access_token(people: People) -> None:
    person = await people.person()
    ticket = (await person.ask("POST", f"{AUTH}/tickets")).json()["ticket"]
    for path in (VOICES, USERS, f"{AUTH}/me"):
        for secret in (person.tokens["refresh_token"], ticket, PASSWORD, "a.b.c", "..", "null"):
            assert (await person.ask("GET", path, access=secret)).status_code == 401
    assert told(await person.refresh(person.access[:128])) == (401, "refresh_token_invalid")
    assert told(await person.refresh(ticket)) == (401, "refresh_token_invalid")


BODIES: list[tuple[str, bytes, str]] = [
    *(
        (path, body, code)
        for path in ("login", "refresh", "password")
        for body, code in (
            (b"", "empty_body"),
            (b"{", "invalid_json"),
            (b"[]", "invalid_json"),
            (b"null", "invalid_json"),
            (b"\xff\xfe", "invalid_json"),
            (b"{}", "validation_failed"),
            (b'{"a":1,"a":2}', "duplicate_member"),
            (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "json_too_deep"),
            (b'{"email":"a@b.org","password":"\\ud800"}', "invalid_json"),
            (b'{"email":"a@b.org","password":NaN}', "invalid_json"),
        )
    ),
    ("login", b'{"email":"a@b.org","password":""}', "validation_failed"),
    ("login", b'{"email":"a@b.org","password":7}', "validation_failed"),
    ("login", b'{"email":["a@b.org"],"password":"x"}', "validation_failed"),
    ("login", b'{"email":"a@b.org","password":"x","role":"admin"}', "validation_failed"),
    ("login", json.dumps(login_body("a@b.org", "x" * 129)).encode(), "validation_failed"),
    ("login", json.dumps(login_body("a" * 250 + "@b.org")).encode(), "validation_failed"),
    ("refresh", b'{"refresh_token":""}', "validation_failed"),
    ("refresh", json.dumps({"refresh_token": "x" * 129}).encode(), "validation_failed"),
    ("refresh", b'{"refresh_token":"sgr_\\u0000\\u00e9"}', "refresh_token_invalid"),
    ("password", b'{"current_password":"x"}', "validation_failed"),
    ("password", b'{"current_password":"x","new_password":null}', "validation_failed"),
]


async def test_every_bad_body_is_refused_with_its_code(people: People) -> None:
    person = await people.person()
    for path, body, code in BODIES:
        response = await person.client.post(
            f"{AUTH}/{path}", content=body, headers=bearer(person.access)
        )
        assert (problem(response)["code"], body[:99]) == (code, body[:99])
        assert 400 <= response.status_code < 500
    # What was sent is not sent back.
    secret = "x" * 130
    response = await person.client.post(f"{AUTH}/login", json=login_body("a@b.org", secret))
    assert secret not in response.text


@pytest.mark.parametrize(
    "email",
    [
        "nobody@example.org",
        "not an address",
        "nul\0@example.org",
        "<script>@example.org",
        "' OR 1=1 --",
        "ünï@exämple.org",
        "%@%.org",
    ],
)
async def test_an_address_that_nobody_has(running: Running, email: str) -> None:
    async with browser(running.gateway) as client:
        assert told(await client.post(f"{AUTH}/login", json=login_body(email))) == FAILED


async def test_the_refusals_of_a_login_are_one(people: People) -> None:
    """Whether an address is known cannot be read from the answer."""
    known = await people.person(logged_in=False)
    answers = [
        await known.client.post(f"{AUTH}/login", json=body)
        for body in (
            login_body("nobody@example.org"),
            login_body(known.user.email, "wrong " + PASSWORD),
        )
    ]
    assert {told(answer) for answer in answers} == {FAILED}

    def anonymous(answer: httpx.Response) -> tuple[bytes, list[tuple[str, str]]]:
        request_id = answer.headers["x-request-id"]
        ids = {request_id, answer.headers.get("traceparent", request_id), answer.headers["date"]}
        body, headers = answer.text, answer.headers.multi_items()
        assert "<id>" in body.replace(request_id, "<id>")
        return body.replace(request_id, "<id>").encode(), [
            (name, "<id>" if value in ids else value) for name, value in headers
        ]

    assert anonymous(answers[0]) == anonymous(answers[1])


@pytest.mark.parametrize("known", [True, False])
async def test_an_account_is_throttled_where_somebody_guesses_it(
    people: People, *, known: bool
) -> None:
    person = await people.person(logged_in=False)
    email = person.user.email if known else f"nobody-{person.user.id}@example.org"
    async with browser(people.gateway, new_address()) as guesser:
        wrong = login_body(email, "wrong " + PASSWORD)
        answers = [told(await guesser.post(f"{AUTH}/login", json=wrong)) for _ in range(10)]
        assert answers == [FAILED] * 10
        for spelled in (email, f" {email.upper()}"):
            # The right password, too: otherwise throttling would slow nobody down.
            response = await guesser.post(f"{AUTH}/login", json=login_body(spelled))
            assert told(response) == THROTTLED
            assert 1 <= int(response.headers["retry-after"]) <= 60
    # The owner, elsewhere, is not locked out.
    async with browser(people.gateway, new_address()) as elsewhere:
        response = await elsewhere.post(f"{AUTH}/login", json=login_body(email))
        assert told(response) == ((200, "") if known else FAILED)


async def test_an_account_is_throttled_when_it_is_guessed_from_many_addresses(
    people: People,
) -> None:
    person = await people.person(logged_in=False)
    answers: list[tuple[int, str]] = []
    for _ in range(6):
        async with browser(people.gateway, new_address()) as client:
            for _ in range(10):
                wrong = login_body(person.user.email, "wrong " + PASSWORD)
                answers.append(told(await client.post(f"{AUTH}/login", json=wrong)))
    assert answers == [FAILED] * 60
    assert told(await person.try_login()) == THROTTLED


async def test_logins_from_one_address_are_throttled_and_use_up_no_account(
    people: People,
) -> None:
    person, attacker = await people.person(logged_in=False), new_address()
    async with browser(people.gateway, attacker) as client:

        async def attempt(email: str, number: int = 0) -> tuple[int, str]:
            claimed = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": "for=10.0.0.1"}
            body = login_body(email, "wrong")
            return told(await client.post(f"{AUTH}/login", json=body, headers=claimed))

        first = [await attempt(f"{n}-{person.user.id}@example.org", n) for n in range(120)]
        assert first == [FAILED] * 120
        assert {await attempt(person.user.email, n) for n in range(15)} == {THROTTLED}
    # The account of which so many logins were refused is open to its owner.
    assert told(await person.try_login()) == (200, "")


async def test_behind_a_trusted_proxy_each_client_has_its_own_count(
    running: Running, people: People
) -> None:
    person = await people.person(logged_in=False)
    edge = new_address()
    gateway = running.installation.gateway(trusted_proxies=f"192.0.2.0/24, {edge}")
    gateway.start()
    try:
        async with browser(gateway, edge) as client:

            async def attempt(who: str, password: str) -> tuple[int, str]:
                # Its own claims stand before what the proxies know.
                headers = {"X-Forwarded-For": f"203.0.113.9, {who}, 192.0.2.1"}
                body = login_body(person.user.email, password)
                return told(await client.post(f"{AUTH}/login", json=body, headers=headers))

            assert [await attempt("198.51.100.1", "wrong") for _ in range(10)] == [FAILED] * 10
            assert await attempt("198.51.100.1", PASSWORD) == THROTTLED
            assert await attempt("198.51.100.2", PASSWORD) == (200, "")
    finally:
        gateway.stop()


async def test_nothing_secret_is_told_or_logged(running: Running, people: People) -> None:
    person = await people.person("admin")
    answers = [
        await person.ask("GET", f"{AUTH}/me"),
        await person.ask("GET", f"{AUTH}/sessions"),
        await person.ask("GET", f"{USERS}/{person.user.id}"),
        await person.ask("GET", f"{AUTH}/me", access=person.access + "x"),
        await person.try_login("wrong " + PASSWORD),
        await person.refresh("sgr_" + "x" * 43),
        await person.ask("POST", f"{AUTH}/password", {"current_password": PASSWORD}),
        await person.client.post(f"{AUTH}/login", content=PASSWORD.encode()),
    ]
    used, renewed = person.tokens["refresh_token"], (await person.refresh()).json()
    answers.append(await person.refresh(used))
    last = await person.ask("GET", f"{AUTH}/me", access=renewed["access_token"])
    secrets = [
        *(PASSWORD, person.user.password_hash, used, person.access),
        *(renewed["access_token"], renewed["refresh_token"]),
    ]
    for answer in answers:
        whole = answer.text + str(answer.headers.multi_items())
        assert not [secret for secret in secrets if secret in whole]
        assert "argon2" not in whole
    log = running.gateway.log
    await eventually(lambda: last.headers["x-request-id"] in log.read_text())
    lines = await asyncio.to_thread(log.read_text)
    assert not [secret for secret in secrets if secret in lines]
    assert not re.findall(r"argon2|sgr_\w|eyJ\w|BEGIN PRIVATE", lines)
