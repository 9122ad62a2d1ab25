"""WebSocket and Socket.IO through a real gateway, to real servers of both kinds."""

import asyncio
import hashlib
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import socketio
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from yarl import URL

from tests.integration.gateway.harness import Installation, Program, bearer, metric
from tests.support.poll import eventually

STREAM = "/api/v1/asr/stream"


@dataclass
class Replica:
    """A service with a WebSocket echo and a Socket.IO server; tells what it was sent."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        # A polling client that disconnects waits for both.
        server = socketio.AsyncServer(async_mode="aiohttp", ping_interval=1, ping_timeout=1)
        app = web.Application()
        app.router.add_get("/health", self.health)
        for path in (STREAM, "/ws/audio"):
            app.router.add_get(path, self.echo)
        server.attach(app)
        # A session's id begins with the token that the gateway gives its replica.
        tokens = asyncio.Queue[str]()
        generate = server.eio.generate_id
        server.eio.generate_id = lambda: f"{tokens.get_nowait()}-{generate()}"

        @web.middleware
        async def note(request: web.Request, handler: Any) -> Any:
            if request.path != "/health":
                self.seen.append({"query": dict(request.query), **dict(request.headers)})
                tokens.put_nowait(request.headers.get("x-sg-replica", "none"))
            return await handler(request)

        app.middlewares.append(note)
        server.on("data", lambda _, data: {"echo": data, "replica": self.url})
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def echo(self, request: web.Request) -> web.StreamResponse:
        if "refuse" in request.query:
            return web.json_response({"code": "no_room"}, status=409)
        socket = web.WebSocketResponse(max_msg_size=2**24, protocols=("speech",))
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            elif message.data == "headers":
                await socket.send_str(json.dumps(self.seen[-1]))
            elif message.data == "bye":
                await socket.close(code=4001)
            else:
                await socket.send_str(message.data)
        return socket

    async def stop(self) -> None:
        assert self.runner is not None
        await self.runner.cleanup()


@dataclass
class Setup:
    installation: Installation
    gateway: Program
    replicas: list[Replica]
    key: str
    key_id: str

    def url(self, path: str = STREAM) -> str:
        return f"ws://127.0.0.1:{self.gateway.port}{path}"

    async def metrics(self) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.gateway.url}/metrics") as answer,
        ):
            return await answer.text()


@asynccontextmanager
async def streaming(folder: Path, replicas: int = 1, **settings: str) -> AsyncIterator[Setup]:
    running = [Replica() for _ in range(replicas)]
    for replica in running:
        await replica.start()
    installation = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}")
    await asyncio.to_thread(installation.prepare)
    made, key = await installation.create_key()
    gateway = installation.gateway(asr_urls=",".join(r.url for r in running), **settings)
    await asyncio.to_thread(gateway.start)
    try:
        yield Setup(installation, gateway, running, key, made.id)
    finally:
        await asyncio.to_thread(gateway.stop)
        for replica in running:
            await replica.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    async with streaming(tmp_path_factory.mktemp("streams"), 3) as running:
        yield running


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_frames_cross_unchanged_in_both_directions(setup: Setup) -> None:
    payloads = [bytes([n % 256]) * size for n, size in enumerate((0, 1, 640, 125, 126, 70_000))]
    async with connect(
        setup.url(), additional_headers=bearer(setup.key), subprotocols=["speech"], max_size=2**24
    ) as socket:
        assert socket.subprotocol == "speech"
        assert socket.response is not None
        assert socket.response.headers["x-model-variant"] == "default"
        for payload in payloads:
            await socket.send(payload)
        for payload in payloads:
            assert await socket.recv() == payload
        big = b"x" * 5_000_000
        await socket.send(big)
        assert hashlib.sha256(await socket.recv()).digest() == hashlib.sha256(big).digest()
        await socket.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


async def test_the_service_learns_who_it_is_and_never_the_key(setup: Setup) -> None:
    async with connect(
        setup.url("/ws/audio?language=en"), additional_headers=bearer(setup.key)
    ) as socket:
        await socket.send("headers")
        seen = json.loads(await socket.recv())
    assert seen["x-sg-identity"]
    assert len(seen["x-sg-replica"]) == 8
    assert seen["query"] == {"language": "en"}
    assert setup.key not in json.dumps(seen)


@pytest.mark.parametrize("query", ["?apiKey={}", "?api_key={}", "?ticket={}", ""])
async def test_a_key_in_the_url_opens_no_native_stream(setup: Setup, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(setup.url(STREAM + query.format(setup.key))):
            pass
    assert refused.value.response.status_code == 401


async def test_a_services_refusal_and_a_plain_get_are_answers(setup: Setup) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(setup.url(STREAM + "?refuse=1"), additional_headers=bearer(setup.key)):
            pass
    assert refused.value.response.status_code == 409
    assert b"no_room" in (refused.value.response.body or b"")
    async with (
        aiohttp.ClientSession(headers=bearer(setup.key)) as session,
        session.get(setup.gateway.url + STREAM) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (426, "upgrade_required")


async def test_streams_are_counted_and_logged_without_the_key(setup: Setup) -> None:
    async with connect(setup.url(), additional_headers=bearer(setup.key)) as socket:
        await socket.send("x")
        await socket.recv()

    async def counted() -> bool:
        text = await setup.metrics()
        return metric(text, "speechgate_http_requests_total", route=STREAM, status="101") >= 1

    await eventually(counted)
    assert setup.key not in setup.gateway.log.read_text()


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"], ["websocket"]])
async def test_a_socket_io_session_stays_at_its_replica(
    setup: Setup, transports: list[str]
) -> None:
    async def session(number: int) -> None:
        client = socketio.AsyncClient()
        url = f"{setup.gateway.url}?apiKey={setup.key}&language=en"
        await client.connect(url, transports=transports)
        answers = [await client.call("data", f"{number}-{n}", timeout=10) for n in range(5)]
        assert [answer["echo"] for answer in answers] == [f"{number}-{n}" for n in range(5)]
        assert len({answer["replica"] for answer in answers}) == 1
        await client.disconnect()
        await client.wait()

    await asyncio.gather(*(session(number) for number in range(6)))
    for replica in setup.replicas:
        assert setup.key not in json.dumps(replica.seen)


@pytest.mark.parametrize(
    ("sid", "status", "code"),
    [
        ("abc", 400, "bad_session"),
        ("%C3%89-abc", 400, "bad_session"),
        ("abc-%00", 400, "bad_session"),
        ("abc-def%0A", 400, "bad_session"),
        ("deadbeef-AAAAAAAAAAAAAAAAAAAA", 503, "session_lost"),
    ],
)
async def test_an_id_that_no_session_has_is_the_senders_fault(
    setup: Setup, sid: str, status: int, code: str
) -> None:
    url = URL(f"{setup.gateway.url}/socket.io/?EIO=4&transport=polling&sid={sid}", encoded=True)
    async with (
        aiohttp.ClientSession(headers=bearer(setup.key)) as session,
        session.get(url) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (status, code)


async def test_a_revoked_key_loses_its_stream(setup: Setup) -> None:
    made, key = await setup.installation.create_key()
    async with connect(setup.url(), additional_headers=bearer(key)) as socket:
        await socket.send("x")
        await socket.recv()
        await setup.installation.cli("keys", "revoke", made.id)
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_sigterm_closes_streams_with_service_restart(tmp_path: Path) -> None:
    async with streaming(tmp_path) as setup:
        async with connect(setup.url(), additional_headers=bearer(setup.key)) as socket:
            await socket.send("x")
            await socket.recv()
            assert setup.gateway.process is not None
            setup.gateway.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert await asyncio.to_thread(setup.gateway.stop) in (0, -15)


async def send_until_closed(socket: ClientConnection, sends: int) -> None:
    async with asyncio.timeout(10):
        for _ in range(sends):
            await socket.send(b"x" * 1_000)
            await socket.recv()
        await socket.recv()


async def test_a_silent_and_a_greedy_stream_end(tmp_path: Path) -> None:
    bounds = {"stream_idle_timeout_s": "1", "stream_max_bytes": "200000"}
    async with streaming(tmp_path, **bounds) as setup:
        for codes, sends in (({1001}, 0), ({1009}, 300)):
            async with connect(
                setup.url(), additional_headers=bearer(setup.key), compression=None
            ) as socket:
                with pytest.raises(ConnectionClosed) as closed:
                    await send_until_closed(socket, sends)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in codes
