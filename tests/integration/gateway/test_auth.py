"""Users log in, refresh, log out, and lose their rights, on both stacks."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.models.accounts import UserChanges
from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import ASR, PASSWORD, bearer, problem
from tests.integration.gateway.logins import AUTH, People, open_people, told

ENDED = (401, "session_revoked")


@pytest.fixture
async def people(running: Running) -> AsyncIterator[People]:
    async with open_people(running.installation, running.gateway) as opened:
        yield opened


async def test_login_gives_tokens_that_open_what_the_roles_grant(people: People) -> None:
    person = await people.person("user", logged_in=False)
    response = await person.client.post(
        f"{AUTH}/login", json={"email": f" {person.user.email.upper()} ", "password": PASSWORD}
    )
    assert response.headers["cache-control"] == "no-store"
    person.tokens = tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert re.fullmatch(r"sgr_[0-9A-Za-z]{43}", tokens["refresh_token"])
    assert tokens["user"] == {
        "id": person.user.id,
        "email": person.user.email,
        "name": "Test",
        "organization_id": person.user.tenant_id,
        "roles": ["user"],
    }
    me = (await person.ask("GET", f"{AUTH}/me")).json()
    assert (me["kind"], me["subject"]) == ("user", f"user:{person.user.id}")
    assert me["organization_id"] == person.user.tenant_id
    assert "asr:infer" in me["permissions"]
    assert "users:read" not in me["permissions"]
    assert (await person.ask("POST", ASR)).status_code == 200
    assert told(await person.ask("GET", "/api/v1/admin/users")) == (403, "scope_missing")


async def test_refresh_rotates_both_tokens(people: People) -> None:
    person = await people.person()
    seen = [person.tokens]
    for _ in range(3):
        response = await person.refresh()
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        person.tokens = response.json()
        seen.append(person.tokens)
    assert len({tokens["refresh_token"] for tokens in seen}) == 4
    # All belong to one session, and every access token lives out its minutes.
    for tokens in seen:
        assert told(await person.ask("GET", f"{AUTH}/me", access=tokens["access_token"])) == (
            200,
            "",
        )
    assert len((await person.ask("GET", f"{AUTH}/sessions")).json()["items"]) == 1


async def test_a_refresh_token_used_twice_ends_the_session(people: People) -> None:
    person = await people.person()
    first = person.tokens
    other = (await person.try_login()).json()
    person.tokens = (await person.refresh()).json()
    for access in (first["access_token"], person.access):
        assert (await person.ask("GET", f"{AUTH}/me", access=access)).is_success
    assert told(await person.refresh(first["refresh_token"])) == (401, "refresh_token_reused")
    for access in (first["access_token"], person.access):
        await person.told_within_bound(ENDED, access)
    # What the thief, or the owner, got for it is worth nothing either.
    assert told(await person.refresh()) == ENDED
    assert told(await person.refresh(first["refresh_token"])) == ENDED
    # Another login of the same user is another session.
    assert (await person.ask("GET", f"{AUTH}/me", access=other["access_token"])).is_success
    assert (await person.refresh(other["refresh_token"])).status_code == 200


async def test_of_twenty_refreshes_at_once_one_wins_and_the_session_ends(people: People) -> None:
    person = await people.person()
    answers = await asyncio.gather(*(person.refresh() for _ in range(20)))
    counted = Counter(map(told, answers))
    assert counted.pop((200, "")) == 1
    assert counted.keys() <= {(401, "refresh_token_reused"), ENDED}
    assert counted[401, "refresh_token_reused"] >= 1
    won = next(answer.json() for answer in answers if answer.is_success)
    for access in (person.access, won["access_token"]):
        await person.told_within_bound(ENDED, access)
    assert told(await person.refresh(won["refresh_token"])) == ENDED


async def test_logout_ends_this_session_only(people: People) -> None:
    person = await people.person()
    other = (await person.try_login()).json()
    assert (await person.ask("POST", ASR)).status_code == 200
    response = await person.ask("POST", f"{AUTH}/logout")
    assert (response.status_code, response.content) == (204, b"")
    await person.told_within_bound(ENDED)
    assert told(await person.ask("POST", ASR)) == ENDED
    assert told(await person.refresh()) == ENDED
    assert (await person.ask("GET", f"{AUTH}/me", access=other["access_token"])).is_success


async def test_sessions_are_listed_and_ended_one_by_one(people: People) -> None:
    person, stranger = await people.person(), await people.person()
    other = (await person.try_login(agent="a" * 300)).json()["access_token"]
    items = (await person.ask("GET", f"{AUTH}/sessions")).json()["items"]
    assert [item["user_agent"] for item in items] == ["a" * 200, "test"]
    assert [item["current"] for item in items] == [False, True]
    theirs = (await stranger.ask("GET", f"{AUTH}/sessions")).json()["items"]
    assert [item["current"] for item in theirs] == [True]
    # A stranger's session is as absent as one that never was.
    refused = [
        problem(await person.ask("DELETE", f"{AUTH}/sessions/{id_}"))
        for id_ in (theirs[0]["id"], "0" * 32)
    ]
    assert {(answer["status"], answer["code"]) for answer in refused} == {(404, "not_found")}
    for answer in refused:
        del answer["request_id"], answer["instance"]
    assert refused[0] == refused[1]
    assert (await stranger.ask("GET", f"{AUTH}/me")).is_success
    for _ in range(2):  # As often as one likes.
        path = f"{AUTH}/sessions/{items[0]['id']}"
        assert (await person.ask("DELETE", path)).status_code == 204
    await person.told_within_bound(ENDED, other)
    items = (await person.ask("GET", f"{AUTH}/sessions")).json()["items"]
    assert [item["current"] for item in items] == [True]


async def test_a_new_password_ends_the_other_sessions(people: People) -> None:
    person, new = await people.person(), "another horse, another battery"
    other = (await person.try_login()).json()

    async def change(current: str, new: str) -> tuple[int, str]:
        body = {"current_password": current, "new_password": new}
        return told(await person.ask("POST", f"{AUTH}/password", body))

    assert await change("wrong " + PASSWORD, new) == (401, "login_failed")
    for weak in ("short", person.user.email, "password1234", "x" * 40):
        assert await change(PASSWORD, weak) == (422, "weak_password")
    assert (await person.ask("GET", f"{AUTH}/me", access=other["access_token"])).is_success
    assert await change(PASSWORD, new) == (204, "")
    await person.told_within_bound(ENDED, other["access_token"])
    assert told(await person.refresh(other["refresh_token"])) == ENDED
    assert (await person.ask("GET", f"{AUTH}/me")).is_success
    assert told(await person.try_login()) == (401, "login_failed")
    assert told(await person.try_login(new)) == (200, "")


async def test_what_somebody_loses_is_lost_within_two_seconds(people: People) -> None:
    """The gateway has just answered each of them, and is not told of the change."""
    path = "/api/v1/admin/users"
    suspended, disabled, demoted, reset = await asyncio.gather(
        *(people.person("organization_admin") for _ in range(4))
    )
    for person in (suspended, disabled, demoted, reset):
        assert told(await person.ask("GET", path)) == (200, "")
    await people.suspend(suspended, suspended=True)
    await people.change(disabled, UserChanges(disabled=True))
    await people.change(demoted, UserChanges(roles=frozenset({"user"})))
    await people.change(reset, UserChanges(password="some other long password"))  # noqa: S106
    await asyncio.gather(
        suspended.told_within_bound((403, "organization_suspended"), path=path),
        disabled.told_within_bound(ENDED, path=path),
        demoted.told_within_bound((403, "scope_missing"), path=path),
        reset.told_within_bound(ENDED, path=path),
    )
    assert told(await suspended.ask("POST", ASR)) == (403, "organization_suspended")
    assert told(await disabled.ask("POST", ASR)) == ENDED
    assert told(await demoted.ask("POST", ASR)) == (200, "")


async def test_a_suspended_organization(people: People) -> None:
    person = await people.person()
    suspended = (403, "organization_suspended")
    await people.suspend(person, suspended=True)
    assert told(await person.ask("GET", f"{AUTH}/me")) == suspended
    assert told(await person.try_login()) == suspended
    # Only who knows the password is told.
    assert told(await person.try_login("wrong " + PASSWORD)) == (401, "login_failed")
    assert told(await person.refresh()) == suspended
    await people.suspend(person, suspended=False)
    assert told(await person.ask("GET", f"{AUTH}/me")) == (200, "")
    assert told(await person.refresh()) == (200, "")


async def test_a_deactivated_user(people: People) -> None:
    person = await people.person()
    await people.change(person, UserChanges(disabled=True))
    assert told(await person.ask("GET", f"{AUTH}/me")) == ENDED
    assert told(await person.refresh()) == ENDED
    assert told(await person.try_login()) == (401, "login_failed")
    # Old sessions do not come back with the account.
    await people.change(person, UserChanges(disabled=False))
    assert told(await person.ask("GET", f"{AUTH}/me")) == ENDED
    assert told(await person.refresh()) == ENDED
    await person.log_in()


async def test_api_keys_are_no_users(client: httpx.AsyncClient, key: str) -> None:
    me = (await client.get(f"{AUTH}/me", headers=bearer(key))).json()
    assert (me["kind"], me["permissions"]) == ("api_key", ["*"])
    for method, path in (("POST", "logout"), ("GET", "sessions"), ("DELETE", "sessions/0")):
        response = await client.request(method, f"{AUTH}/{path}", headers=bearer(key))
        assert told(response) == (403, "not_a_user")
    body = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    response = await client.post(f"{AUTH}/password", json=body, headers=bearer(key))
    assert told(response) == (403, "not_a_user")
