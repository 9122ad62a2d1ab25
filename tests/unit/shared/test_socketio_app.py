"""Sessions of Socket.IO that never become a client, and how many one tenant has."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from shared.asgi.socketio_app import SocketIoApp
from shared.asgi.socketio_line import SocketIoLine
from shared.identity import Identity
from shared.settings import StreamingSettings
from tests.support.poll import eventually

POLLING = {"EIO": "4", "transport": "polling"}


class Silent:
    """A client that does nothing."""

    def __init__(self, _line: SocketIoLine, _scope: Scope) -> None:
        self.begun = False

    def begin(self) -> None:
        self.begun = True

    async def start(self, *given: Any) -> None: ...
    async def data(self, *given: Any) -> None: ...
    async def stop(self) -> None: ...
    async def close(self) -> None: ...


class Sessions:
    """The application, as the service's own middleware calls it."""

    def __init__(self, **settings: Any) -> None:
        self.app = SocketIoApp(Silent, StreamingSettings.model_construct(**settings))

    def of(self, tenant: str) -> httpx.AsyncClient:
        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"identity": Identity("key", tenant, frozenset("*"))}
            await self.app(scope, receive, send)

        return httpx.AsyncClient(
            transport=httpx.ASGITransport(served), base_url="http://asr/socket.io/", params=POLLING
        )


async def begun(client: httpx.AsyncClient) -> str:
    """The id of a new session."""
    answer = await client.get("")
    assert answer.status_code == 200, answer.text
    sid: str = json.loads(answer.text[1:])["sid"]
    return sid


async def status(client: httpx.AsyncClient, sid: str) -> int:
    """Of an event sent to a session."""
    answer = await client.post("", params={**POLLING, "sid": sid}, content=b'42["stop"]')
    return answer.status_code


async def test_a_session_without_a_client_ends() -> None:
    sessions = Sessions(stream_start_timeout_s=0.2)
    async with sessions.of("tenant") as client:
        sid = await begun(client)
        assert await status(client, sid) == 200

        async def gone() -> bool:
            return await status(client, sid) == 400

        await eventually(gone, timeout_s=10)


@pytest.mark.parametrize("per_tenant", [1, 3])
async def test_a_tenant_leaves_places_to_others(per_tenant: int) -> None:
    sessions = Sessions(stream_max=16, stream_max_per_tenant=per_tenant)
    async with sessions.of("greedy") as greedy, sessions.of("modest") as modest:
        for _ in range(2 * per_tenant):
            await begun(greedy)
        refused = await greedy.get("")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
        await begun(modest)


async def test_a_client_that_polls_no_more_holds_up_no_request() -> None:
    sessions = Sessions(stream_start_timeout_s=60)
    async with sessions.of("tenant") as client, asyncio.timeout(10):
        sid = await begun(client)
        params = {**POLLING, "sid": sid}
        assert (await client.post("", params=params, content=b"40")).status_code == 200
        # A packet that only servers send: the library ends the session, and so it says.
        assert (await client.post("", params=params, content=b"2probe")).status_code == 400
        assert (await client.get("", params=params)).status_code == 400


@pytest.mark.parametrize("message", ["é", "", "x"])
async def test_what_is_no_packet_closes_the_websocket(message: str) -> None:
    sessions = Sessions(stream_start_timeout_s=60)
    sent: list[Message] = []
    coming = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "40"},
        {"type": "websocket.receive", "text": message},
    ]

    async def receive() -> Message:
        return coming.pop(0) if coming else await asyncio.Event().wait()

    async def send(answer: Message) -> None:
        sent.append(answer)

    scope = {
        "type": "websocket",
        "path": "/socket.io/",
        "query_string": b"EIO=4&transport=websocket",
        "headers": [(b"upgrade", b"websocket"), (b"connection", b"upgrade")],
        "state": {"identity": Identity("key", "tenant", frozenset("*"))},
    }
    async with asyncio.timeout(10):
        await sessions.app(scope, receive, send)
    assert [one.get("code") for one in sent if one["type"] == "websocket.close"] == [1007]
