"""Live synthesis through the gateway: text in pieces, by WebSocket and by Socket.IO."""

import asyncio
import base64
import contextlib
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import socketio
import soundfile
import websockets
from websockets.asyncio.client import connect

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key, client_of, make_key
from tests.support.live_speech import STREAM, dictate, send, text
from tests.support.poll import eventually

# What answers is the same with either stack; this one has a real database and real limits.
pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
TEXT = "The harbour was quiet that morning. Nobody spoke of the storm, nor of the boats."
ONE_AT_A_TIME = ("--name", "one stream", "--scope", "tts:infer", "--max-concurrent", "1")
LONG = "The quick brown fox jumps over the lazy dog near the bank of the old river. " * 100


def url(stack: Stack, path: str = STREAM) -> str:
    return stack.info.gateway_url.replace("http", "ws", 1) + path


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def pieces() -> Iterator[str]:
    for start in range(0, len(TEXT), 11):
        yield TEXT[start : start + 11]


async def test_text_in_pieces_over_a_websocket(stack: Stack) -> None:
    told = await dictate(url(stack), bearer(admin_key(stack)), pieces(), language="en")
    assert (told.kinds[0], told.kinds[-1], told.close_code) == ("ready", "done", 1000)
    with client_of(stack) as client:
        stored = client.get(f"/api/v1/tts/requests/{told.events[0]['id']}").json()
    assert stored["status"] == "succeeded"
    assert stored["output"][0]["size"] == len(told.audio)
    assert told.of("done")[0]["duration"] > 3


def test_a_browser_comes_with_a_ticket(stack: Stack, client: httpx.Client) -> None:
    ticket = client.post("/api/v1/auth/tickets").json()["ticket"]
    place = f"{url(stack)}?ticket={ticket}"
    told = asyncio.run(dictate(place, {}, ["Hello there."], language="en"))
    assert told.kinds[-1] == "done"


def test_one_path_serves_requests_and_streams(client: httpx.Client) -> None:
    answer = client.get(STREAM)
    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")
    assert client.delete(STREAM).status_code == 405
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Authorization": ""}
    assert client.get(STREAM, headers=upgrade).status_code == 401


async def test_the_caps_of_a_key_bound_its_streams(stack: Stack) -> None:
    key = make_key(stack, *ONE_AT_A_TIME)["key"]
    async with connect(url(stack), additional_headers=bearer(key)) as first:
        await send(first, {"type": "start", "language": "en"})
        await first.recv()
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            await connect(url(stack), additional_headers=bearer(key))
        assert refused.value.response.status_code == 429

    async def again() -> bool:
        with contextlib.suppress(websockets.exceptions.InvalidStatus):
            told = await dictate(url(stack), bearer(key), ["Hello."], language="en")
            return told.kinds[-1] == "done"
        return False

    # Its place is free as soon as the gateway knows that the first one has left.
    await eventually(again)


def counted(stack: Stack, name: str) -> float:
    """A count of all replicas of synthesis."""
    found = 0.0
    for address in stack.info.services["tts"]:
        for line in httpx.get(f"{address}/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                found += float(line.rsplit(" ", 1)[1])
    return found


async def test_who_leaves_stops_the_work(stack: Stack) -> None:
    left = 'speechgate_tts_streams_ended_total{status="client_disconnected"}'
    before = counted(stack, left)
    async with connect(url(stack), additional_headers=bearer(admin_key(stack))) as stream:
        start = {"type": "start", "language": "en", "cache": False}
        await send(stream, start, text(LONG), {"type": "flush"})
        while not isinstance(await stream.recv(), bytes):
            pass
        stream.transport.abort()
    await eventually(lambda: counted(stack, left) == before + 1, timeout_s=10)
    await eventually(lambda: counted(stack, "speechgate_tts_streams_open") == 0)


@pytest.mark.parametrize(
    ("place", "path", "transport"),
    [
        ("?gender=male&language=en", "socket.io", "websocket"),
        ("?voice_id=en-male&language=en", "socket.io", "polling"),
        ("?language=en", "socket.io/tts", "websocket"),
    ],
)
async def test_socket_io(stack: Stack, place: str, path: str, transport: str) -> None:
    told: list[dict[str, Any]] = []
    ready, ended = asyncio.Event(), asyncio.Event()
    client = socketio.AsyncClient(reconnection=False)
    client.on("response", told.append)
    client.on("ready", lambda *_: ready.set())
    client.on("terminate", lambda *_: ended.set())
    await client.connect(
        f"{stack.info.gateway_url}{place}&apiKey={admin_key(stack)}",
        transports=[transport],
        socketio_path=path,
        wait_timeout=10,
    )
    async with asyncio.timeout(30):
        await client.emit("start", {})
        await ready.wait()
        for piece in pieces():
            await client.emit("data", (piece, False, False))
        await client.emit("data", (None, True, True))
        await ended.wait()
    await client.disconnect()
    assert [one["isFinal"] for one in told][-1] is True
    for one in told:
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(one["audioContent"])))
        assert len(samples) / rate == pytest.approx(one["duration"], abs=0.01)
    assert sum(one["duration"] for one in told) > 3
