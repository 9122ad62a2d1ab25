"""Single-use tickets for WebSockets, through real gateways of both stacks."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.repositories.tickets import MemoryTickets
from gateway.services.authority import OPERATOR
from tests.integration.gateway.conftest import make_installation
from tests.integration.gateway.harness import ASR, Installation, Program, bearer
from tests.integration.gateway.logins import AUTH, People, open_people, told
from tests.integration.gateway.test_streams import STREAM, Replica
from tests.support.poll import eventually

INVALID, MISSING = (401, "ticket_invalid"), (401, "key_missing")
OPENED = (101, "")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Setup:
    installation: Installation
    gateway: Program
    replica: Replica
    people: People
    client: httpx.AsyncClient

    async def ticket(self, credential: str) -> str:
        response = await self.client.post(f"{AUTH}/tickets", headers=bearer(credential))
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        assert response.json()["expires_in"] == 30
        ticket: str = response.json()["ticket"]
        return ticket

    def url(self, ticket: str, path: str = STREAM, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.gateway.port}{path}?ticket={ticket}{query}"

    async def use(self, ticket: str, path: str = STREAM) -> tuple[int, str]:
        """How a stream with this ticket begins."""
        try:
            async with connect(self.url(ticket, path)) as socket:
                await socket.send("x")
                assert await socket.recv() == "x"
        except InvalidStatus as refused:
            body = json.loads(refused.response.body or b"{}")
            return refused.response.status_code, body["code"]
        return OPENED


@pytest.fixture(scope="module", params=["embedded", "full"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    folder = tmp_path_factory.mktemp(f"tickets-{request.param}")
    return make_installation(request.param, folder, request, "gateway_tickets")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(installation: Installation) -> AsyncIterator[Setup]:
    replica = Replica()
    await replica.start()
    gateway = installation.gateway(asr_urls=replica.url)
    await asyncio.to_thread(gateway.start)
    async with (
        open_people(installation, gateway) as people,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client,
    ):
        yield Setup(installation, gateway, replica, people, client)
    await asyncio.to_thread(gateway.stop)
    await replica.stop()


async def test_a_ticket_opens_one_stream_in_its_senders_name(setup: Setup) -> None:
    person = await setup.people.person("user")
    made, key = await setup.installation.create_key("asr:infer")
    for credential, path in ((person.access, STREAM), (key, "/ws/audio")):
        ticket = await setup.ticket(credential)
        async with connect(setup.url(ticket, path, "&language=en")) as socket:
            await socket.send("headers")
            seen = json.loads(await socket.recv())
        assert seen["query"] == {"language": "en"}
        assert ticket not in json.dumps(seen)
        assert await setup.use(ticket, path) == INVALID
    line = f'"key_id":"{made.id}"'
    await eventually(lambda: line in setup.gateway.log.read_text())


async def test_of_fifty_uses_at_once_one_succeeds(setup: Setup) -> None:
    key = (await setup.installation.create_key())[1]
    ticket = await setup.ticket(key)
    answers = await asyncio.gather(*(setup.use(ticket) for _ in range(50)))
    assert Counter(answers) == {OPENED: 1, INVALID: 49}


async def test_a_ticket_is_worth_no_more_than_its_sender(setup: Setup) -> None:
    made, key = await setup.installation.create_key()
    out, suspended = await setup.people.person(), await setup.people.person()
    of_key, of_session = await setup.ticket(key), await setup.ticket(out.access)
    of_suspended = await setup.ticket(suspended.access)
    async with setup.installation.services() as services:
        await services.keys.revoke(OPERATOR, made.id)
    assert (await out.ask("POST", f"{AUTH}/logout")).status_code == 204
    await setup.people.suspend(suspended, suspended=True)
    # At once: whoever redeems asks the database.
    assert await setup.use(of_key) == (401, "key_revoked")
    assert await setup.use(of_session) == (401, "session_revoked")
    assert await setup.use(of_suspended) == (403, "organization_suspended")
    # And what was refused is used up.
    await setup.people.suspend(suspended, suspended=False)
    assert await setup.use(of_suspended) == INVALID
    _, narrow = await setup.installation.create_key("tts:infer")
    assert await setup.use(await setup.ticket(narrow)) == (403, "scope_missing")


@pytest.mark.parametrize("forged", ["", "x", "sgt_", "sgt_" + "A" * 43, "%00", "%C3%A9", "A" * 999])
async def test_a_ticket_that_nobody_issued(setup: Setup, forged: str) -> None:
    assert await setup.use(forged) == INVALID


async def test_a_ticket_opens_nothing_but_a_stream(setup: Setup) -> None:
    person = await setup.people.person("admin")
    ticket = await setup.ticket(person.access)
    client, query = setup.client, {"ticket": ticket}
    for method, path in (
        ("POST", ASR),
        ("GET", "/api/v1/tts/voices"),
        ("GET", "/api/v1/admin/users"),
        ("GET", f"{AUTH}/me"),
        ("POST", f"{AUTH}/tickets"),
    ):
        assert told(await client.request(method, path, params=query)) == MISSING
        for headers in (
            {"Authorization": f"Bearer {ticket}"},
            {"Authorization": ticket},
            {"X-API-Key": ticket},
        ):
            response = await client.request(method, path, headers=headers)
            assert told(response) == (401, "key_malformed")
    for headers in (bearer(ticket), {"X-API-Key": ticket}):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(setup.url("").partition("?")[0], additional_headers=headers):
                pass
        assert refused.value.response.status_code == 401
    assert told(await client.post(f"{AUTH}/refresh", json={"refresh_token": ticket})) == (
        401,
        "refresh_token_invalid",
    )
    # None of it used the ticket up.
    assert await setup.use(ticket) == OPENED


async def test_a_plain_request_on_the_route_of_a_stream(setup: Setup) -> None:
    person = await setup.people.person()
    ticket = await setup.ticket(person.access)
    response = await setup.client.get(STREAM, params={"ticket": ticket})
    assert told(response) == (426, "upgrade_required")
    assert await setup.use(ticket) == INVALID


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
async def test_an_ended_session_loses_the_stream_of_its_ticket(setup: Setup) -> None:
    person = await setup.people.person()
    made, key = await setup.installation.create_key()
    async with (
        connect(setup.url(await setup.ticket(person.access))) as of_session,
        connect(setup.url(await setup.ticket(key))) as of_key,
    ):
        for socket in (of_session, of_key):
            await socket.send("x")
            assert await socket.recv() == "x"
        assert (await person.ask("POST", f"{AUTH}/logout")).status_code == 204
        async with setup.installation.services() as services:
            await services.keys.revoke(OPERATOR, made.id)
        async with asyncio.timeout(20):  # Asked every ten.
            for socket in (of_session, of_key):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1008


async def test_no_log_line_holds_a_ticket(setup: Setup) -> None:
    person = await setup.people.person()
    ticket = await setup.ticket(person.access)
    assert await setup.use(ticket) == OPENED
    assert await setup.use(ticket) == INVALID
    assert await setup.use(ticket, "/nothing") == (404, "not_found")
    last = await setup.client.get(f"{AUTH}/me", params={"ticket": ticket})
    log = setup.gateway.log
    await eventually(lambda: last.headers["x-request-id"] in log.read_text())
    assert "sgt_" not in log.read_text()


async def test_tickets_live_thirty_seconds_in_process() -> None:
    now = 100.0
    store = MemoryTickets(clock=lambda: now)
    for name in ("early", "late", "too-late"):
        await store.put(name, name.encode(), 30)
    assert await store.take("early") == b"early"
    assert await store.take("early") is None
    now = 129.999
    assert await store.take("late") == b"late"
    now = 130.0
    assert await store.take("too-late") is None
    now = 100.0
    assert await store.take("too-late") is None


async def test_tickets_in_process_are_bounded() -> None:
    store = MemoryTickets()
    for number in range(10_001):
        await store.put(str(number), b"x", 30)
    assert await store.take("0") is None
    assert await store.take("1") == b"x"
    assert await store.take("10000") == b"x"
