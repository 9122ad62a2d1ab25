"""The speech-to-speech stream through a real gateway, over services that do as told."""

import asyncio
import base64
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.flags.names import kill_switch
from tests.integration.gateway.composed import Setup, composed
from tests.integration.gateway.harness import bearer, metric, scrape
from tests.support.flags import feature, write_flags
from tests.support.poll import eventually

PATH = "/api/v1/pipeline/stream"
START = {"type": "start", "source_language": "en", "target_language": "es"}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    async with composed(tmp_path_factory.mktemp("interpreting")) as running:
        yield running


@pytest.fixture
def setup(whole: Setup) -> Setup:
    whole.services.reset()
    return whole


def opening(setup: Setup, query: str = "", **options: Any) -> connect:
    headers = {} if query else bearer(options.pop("key", setup.key))
    url = f"ws://127.0.0.1:{setup.gateway.port}{PATH}{query}"
    return connect(url, additional_headers=headers, max_size=2**24, **options)


async def listen(socket: ClientConnection) -> list[Any]:
    """Every event and every sound until the connection closes."""
    found: list[Any] = []
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                found += [message if isinstance(message, bytes) else json.loads(message)]
    return found


async def interpret(setup: Setup, *said: str, **start: Any) -> tuple[list[Any], int | None]:
    async with opening(setup) as socket:
        await socket.send(json.dumps(START | start))
        for text in said:
            await socket.send(text.encode())
        await socket.send('{"type":"stop"}')
        return await listen(socket), socket.close_code


def of(events: list[Any], *wanted: str) -> list[dict[str, Any]]:
    return [one for one in events if not isinstance(one, bytes) and one["type"] in wanted]


def kinds(events: list[Any]) -> list[str]:
    return [event["type"] for event in events if not isinstance(event, bytes)]


async def test_every_final_is_translated_and_spoken_in_order(setup: Setup) -> None:
    events, code = await interpret(setup, "one", "two", "three", gender="male", sample_rate=8_000)
    assert code == 1000
    assert events[0]["type"] == "ready"
    assert (events[0]["source_language"], events[0]["target_language"]) == ("en", "es")
    done = events[-1]
    assert (done["type"], done["segments"], done["segments_failed"]) == ("done", 3, 0)
    said = ("one", "two", "three")
    finals = [(one["text"], one["segment"]) for one in of(events, "final")]
    assert finals == list(zip(said, range(3), strict=True))
    spoken_of = of(events, "translation", "audio")
    assert kinds(spoken_of) == ["translation", "audio"] * 3
    told = [one for one in events if isinstance(one, bytes) or one in spoken_of]
    for number, text in enumerate(said):
        translation, audio, *rest = told
        assert (translation["segment"], translation["text"]) == (number, f"<{text}>")
        assert (audio["segment"], audio["format"], audio["sample_rate"]) == (number, "wav", 22_050)
        sound = b""
        while len(sound) < audio["bytes"]:
            sound += rest.pop(0)
        assert sound == f"<{text}>".encode() * 2_000
        told = rest
    assert told == []
    assert setup.services.starts[-1] == {"type": "start", "language": "en", "sample_rate": 8_000}
    spoken = next(one.document for one in setup.services.calls if one.task == "tts")
    assert spoken["config"]["gender"] == "male"
    assert spoken["config"]["language"] == {"sourceLanguage": "es"}


async def test_sound_as_base64(setup: Setup) -> None:
    events, _ = await interpret(setup, "one", audio="base64")
    (audio,) = of(events, "audio")
    assert base64.b64decode(audio["content"]) == b"<one>" * 2_000


async def test_a_step_that_fails_does_not_end_the_stream(setup: Setup) -> None:
    setup.services.faults["tts"] = 503
    events, code = await interpret(setup, "one", "two")
    assert code == 1000
    failures = of(events, "segment_failed")
    assert [(one["segment"], one["step"], one["code"]) for one in failures] == [
        (0, "tts", "tts_fault"), (1, "tts", "tts_fault")
    ]  # fmt: skip
    assert kinds(events).count("translation") == 2
    assert events[-1]["segments_failed"] == 2


async def test_one_trace_and_one_sender(setup: Setup) -> None:
    await interpret(setup, "one")
    calls = setup.services.calls
    assert [one.task for one in calls] == ["stream", "nmt", "tts"]
    assert len({one.headers["traceparent"].split("-")[1] for one in calls}) == 1
    assert len({one.headers["x-request-id"] for one in calls}) == 1
    assert all(one.headers["x-sg-identity"] for one in calls)
    assert "sec-websocket-extensions" not in {name.lower() for name in calls[0].headers}
    assert all(setup.key not in str(one.headers) for one in calls)
    assert "<one>" not in setup.gateway.log.read_text()


@pytest.mark.parametrize(
    ("messages", "code", "close"),
    [
        ([b"audio"], "not_started", 1008),
        (['{"type":"stop"}'], "not_started", 1008),
        (["{"], "invalid_json", 1008),
        (['{"type":"start"}'], "invalid_start", 1008),
        ([json.dumps(START | {"target_language": "en"})], "invalid_start", 1008),
        ([json.dumps(START), json.dumps(START)], "already_started", 1008),
        ([json.dumps(START), '{"type":"dance"}'], "invalid_message", 1008),
        ([json.dumps(START | {"source_language": "xx"})], "unsupported_language", 1008),
        ([json.dumps(START), b"break"], "upstream_broken", 1013),
    ],
)
async def test_errors_end_the_stream(
    setup: Setup, messages: list[Any], code: str, close: int
) -> None:
    async with opening(setup) as socket:
        for message in messages:
            await socket.send(message)
        events = await listen(socket)
        assert socket.close_code == close
    assert (events[-1]["type"], events[-1]["code"]) == ("error", code)


async def test_what_was_said_before_a_break_is_still_spoken(setup: Setup) -> None:
    async with opening(setup) as socket:
        await socket.send(json.dumps(START))
        await socket.send(b"one")
        await socket.send(b"break")
        events = await listen(socket)
    assert kinds(events) == ["ready", "final", "translation", "audio", "error"]


async def test_frames_that_are_none(setup: Setup) -> None:
    async with opening(setup, compression=None) as socket:
        await socket.send(json.dumps(START))
        assert socket.transport is not None
        socket.transport.write(b"\xff\xff\xff\xff")
        await listen(socket)
        assert socket.close_code in (1002, 1006)
    async with opening(setup, compression=None) as socket:
        await socket.send(b"x" * (1 << 20) + b"y")
        await listen(socket)
        assert socket.close_code == 1009


async def test_who_may_open_it(setup: Setup) -> None:
    async def refused(query: str = "", **options: Any) -> int:
        with pytest.raises(InvalidStatus) as caught:
            async with opening(setup, query, **options):
                pass
        return caught.value.response.status_code

    for scopes in (("asr:infer", "nlp:infer"), ("asr:infer", "tts:infer"), ("nlp:infer",)):
        _, key = await setup.installation.create_key(*scopes)
        assert await refused(key=key) == 403
    assert await refused(f"?apiKey={setup.key}") == 401
    assert await refused(key="nonsense") == 401
    _, key = await setup.installation.create_key(per_minute=5, per_hour=9, per_day=9)
    async with opening(setup, key=key):
        pass
    assert await refused(key=key) == 429, "a stream counts as three requests"
    capped = {"per_minute": 99, "per_hour": 99, "per_day": 99, "max_concurrent": 1}
    _, key = await setup.installation.create_key(**capped)
    async with opening(setup, key=key):
        assert await refused(key=key) == 429


@pytest.mark.parametrize("path", [PATH, "/api/v1/asr/stream", "/api/v1/tts/inference"])
async def test_kill_switches_of_the_stream_and_its_steps(setup: Setup, path: str) -> None:
    async def status() -> int:
        try:
            async with opening(setup):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    async def closed() -> bool:
        return await status() == 503

    async def opened() -> bool:
        return await status() == 101

    write_flags(setup.flags, feature(kill_switch(path)))
    await eventually(closed)
    write_flags(setup.flags)
    await eventually(opened)


async def test_a_ticket_opens_it_once(setup: Setup) -> None:
    async with setup.client() as client:
        ticket = (await client.post("/api/v1/auth/tickets")).json()["ticket"]
        async with opening(setup, f"?ticket={ticket}") as socket:
            await socket.send(json.dumps(START))
            assert json.loads(await socket.recv())["type"] == "ready"
        with pytest.raises(InvalidStatus):
            async with opening(setup, f"?ticket={ticket}"):
                pass
        assert ticket not in setup.gateway.log.read_text()
        plain = await client.get(PATH)
    assert (plain.status_code, plain.json()["code"]) == (426, "upgrade_required")


async def test_pings_are_answered_and_streams_counted(setup: Setup) -> None:
    async with opening(setup) as socket:
        await (await socket.ping())
    async with httpx.AsyncClient(base_url=setup.gateway.url) as client:

        async def counted() -> bool:
            found = metric(
                await scrape(client), "speechgate_http_requests_total", route=PATH, status="101"
            )
            return found >= 1

        await eventually(counted)


async def test_no_more_audio_is_taken_while_much_is_untold(setup: Setup) -> None:
    gate = setup.services.wait["nmt"] = asyncio.Event()
    before = setup.services.brought
    async with opening(setup, compression=None) as socket:
        await socket.send(json.dumps(START))
        for number in range(20):
            await socket.send(str(number).encode())
        await eventually(lambda: sum(one.task == "nmt" for one in setup.services.calls) == 3)
        later = asyncio.create_task(send_many(socket, 60))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.shield(later)
        assert setup.services.brought - before < 9_000_000, "held back at the gateway"
        gate.set()
        await later
        await socket.send('{"type":"stop"}')
        events = await listen(socket)
    assert events[-1]["type"] == "done"
    order = [one["segment"] for one in of(events, "translation")]
    assert order == list(range(80))


async def send_many(socket: ClientConnection, number: int) -> None:
    for _ in range(number):
        await socket.send(b"y" * 300_000)


async def test_a_client_that_leaves_ends_the_steps(setup: Setup) -> None:
    setup.services.wait["nmt"] = asyncio.Event()
    async with opening(setup) as socket:
        await socket.send(json.dumps(START))
        await socket.send(b"one")
        await eventually(lambda: any(one.task == "nmt" for one in setup.services.calls))
        assert socket.transport is not None
        socket.transport.abort()
    await eventually(lambda: setup.services.left == ["nmt"])


async def test_sigterm_closes_it_with_service_restart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with composed(tmp_path_factory.mktemp("drained")) as own:
        async with opening(own) as socket:
            await socket.send(json.dumps(START))
            await socket.recv()
            assert own.gateway.process is not None
            own.gateway.process.send_signal(signal.SIGTERM)
            await listen(socket)
            assert socket.close_code == 1012
        assert await asyncio.to_thread(own.gateway.stop) in (0, -15)
