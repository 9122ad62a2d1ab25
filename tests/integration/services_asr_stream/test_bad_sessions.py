"""Malformed sessions and limits: an error with a code, a close code, and nothing else harmed."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.integration.services_asr_stream.conftest import Streaming
from tests.support.poll import eventually
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.streaming import Heard, encoded

Message = str | bytes
START = json.dumps({"type": "start"})
SESSIONS = 1_000


def start(**members: Any) -> str:
    return json.dumps({"type": "start", **members})


async def say(streaming: Streaming, *messages: Message) -> Heard:
    """Send messages and take what comes until the server closes."""
    heard = Heard()
    options: dict[str, Any] = {"max_size": 2**24, "compression": None}
    async with connect(streaming.url, additional_headers=streaming.headers(), **options) as socket:
        listening = asyncio.create_task(heard.listen(socket))
        try:
            for message in messages:
                await socket.send(message)
        except ConnectionClosed:
            pass  # The server did not want to hear more.
        async with asyncio.timeout(30):
            await listening
    return heard


@pytest.mark.parametrize(
    ("messages", "code", "close"),
    [
        (["{"], "invalid_json", 1007),
        (["[1]"], "invalid_json", 1007),
        (['{"type":"start","type":"start"}'], "invalid_json", 1007),
        (["[" * 5_000], "invalid_json", 1007),
        (["{}"], "not_started", 1008),
        ([b"\0\0"], "not_started", 1008),
        (['{"type":"stop"}'], "not_started", 1008),
        ([start(language=7)], "invalid_start", 1008),
        ([start(color="red")], "invalid_start", 1008),
        ([start(interim="yes")], "invalid_start", 1008),
        ([start(endpoint_ms=10)], "invalid_start", 1008),
        ([start(interim_ms=-1)], "invalid_start", 1008),
        ([start(sample_rate=16_001)], "unsupported_sample_rate", 1008),
        ([start(sample_rate=0)], "unsupported_sample_rate", 1008),
        ([start(encoding="opus")], "unsupported_encoding", 1008),
        ([start(language="xx")], "unsupported_language", 1008),
        ([start(service_id="none")], "unknown_model", 1008),
        ([start(post_processors=["none"])], "unknown_processor", 1008),
        ([start(resume_from=1_000)], "invalid_resume", 1008),
        ([start(session_id="a", resume_from=-1)], "invalid_resume", 1008),
        ([start(session_id="a b", resume_from=0)], "invalid_resume", 1008),
        ([start(session_id="a", resume_from=1, sample_rate=44_100)], "invalid_resume", 1008),
        ([start(session_id="a", resume_from=10**12), b"\0\0"], "stream_too_long", 1008),
        ([START, START], "already_started", 1008),
        ([START, '{"type":"dance"}'], "invalid_message", 1008),
        ([START, "null"], "invalid_json", 1007),
        ([START, b"\0\0\0"], "invalid_frame", 1008),
        ([start(encoding="pcm_f32le"), b"\0\0"], "invalid_frame", 1008),
        (
            [start(encoding="pcm_f32le"), np.array([np.nan], "<f4").tobytes()],
            "invalid_audio",
            1008,
        ),
    ],
)
async def test_what_is_wrong_is_said(
    streaming: Streaming, messages: list[Message], code: str, close: int
) -> None:
    heard = await say(streaming, *messages)
    assert heard.errors == [code]
    assert heard.close_code == close
    assert heard.of("error")[0]["detail"]


async def test_a_huge_message_is_not_read(streaming: Streaming) -> None:
    heard = await say(streaming, START, bytes(2 << 20))
    assert heard.close_code == 1009


async def test_a_session_without_audio_is_done(streaming: Streaming) -> None:
    heard = await say(streaming, START, b"", '{"type":"flush"}', '{"type":"stop"}')
    assert [event["type"] for event in heard.events] == ["ready", "done"]
    assert heard.of("done")[0]["duration"] == 0.0
    assert heard.close_code == 1000


async def test_a_sender_without_identity_or_scope_opens_nothing(streaming: Streaming) -> None:
    for headers in ({}, {"x-sg-identity": "x.y.z"}, streaming.headers("t", "k", "tts:infer")):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(streaming.url, additional_headers=headers):
                pass
        assert refused.value.response.status_code == 403


def malformed(rng: random.Random) -> list[Message]:
    """Messages of a session that goes wrong somewhere."""
    pieces: list[Callable[[], Message]] = [
        lambda: rng.randbytes(rng.randrange(0, 2_000)),
        lambda: rng.randbytes(rng.randrange(0, 200)).decode("latin-1"),
        lambda: start(**{rng.choice(["language", "encoding", "sample_rate", "x"]): rng.random()}),
        lambda: start(sample_rate=rng.choice([8_000, 11_025, 44_100, 7])),
        lambda: start(encoding=rng.choice(["mulaw", "alaw", "pcm_f32le", "mp3"])),
        lambda: json.dumps({"type": rng.choice(["flush", "stop", "dance", None])}),
        lambda: json.dumps([rng.random()] * rng.randrange(3)),
        lambda: "{" * rng.randrange(1, 3_000),
    ]
    return [START, *(rng.choice(pieces)() for _ in range(rng.randrange(1, 5)))][rng.randrange(2) :]


async def test_a_thousand_malformed_sessions_harm_nobody(streaming: Streaming) -> None:
    rng = random.Random(5)
    sessions = [[*malformed(rng), "end"] for _ in range(SESSIONS)]
    places = asyncio.Semaphore(20)

    async def one(messages: list[Message]) -> Heard:
        async with places:
            return await say(streaming, *messages)

    ended = await asyncio.gather(*map(one, sessions))
    assert {heard.close_code for heard in ended} <= {1000, 1007, 1008, 1009}
    for heard in ended:
        assert heard.events[-1]["type"] in ("error", "done")
        assert "internal_error" not in heard.errors
    with streaming.app.client() as client:

        def none_left() -> bool:
            lines = client.get("/metrics").text.splitlines()
            opened = [one for one in lines if one.startswith("speechgate_asr_streams_open{")]
            return all(one.endswith(" 0.0") for one in opened)

        await eventually(none_left, timeout_s=10)
    whole = await streaming.recite(recordings()[1].samples(), interim=False)
    assert whole.finals


@pytest.fixture(scope="module")
def strict(make_streaming: Callable[..., Streaming]) -> Streaming:
    return make_streaming(
        stream_max=3,
        stream_max_per_tenant=2,
        stream_idle_timeout_s=0.5,
        stream_start_timeout_s=0.5,
        stream_max_s=8.0,
        stream_burst_s=2.0,
    )


@pytest.mark.parametrize(
    ("messages", "code", "close"),
    [
        ([], "start_timeout", 1008),
        ([START], "idle_timeout", 1001),
        ([START, bytes(9 * SAMPLE_RATE * 2)], "stream_too_long", 1008),
    ],
)
async def test_a_stream_is_bounded(
    strict: Streaming, messages: list[Message], code: str, close: int
) -> None:
    heard = await say(strict, *messages)
    assert heard.errors == [code]
    assert heard.close_code == close


async def test_a_fast_sender_is_held_back(strict: Streaming) -> None:
    began = time.monotonic()
    heard = await strict.recite(np.zeros(8 * SAMPLE_RATE, np.int16))
    assert heard.close_code == 1000
    # 2 s at once, the other 6 at three times their pace; the last frame itself does not wait.
    assert time.monotonic() - began >= 1.8


async def test_streams_of_a_tenant_and_of_the_process_are_capped(strict: Streaming) -> None:
    async def opened(tenant: str) -> Any:
        socket = await connect(strict.url, additional_headers=strict.headers(tenant))
        await socket.send(START)
        first = json.loads(await socket.recv())
        return socket, first.get("code", first["type"])

    found = [await opened(tenant) for tenant in ("a", "a", "a", "b", "c")]
    refused = "too_many_streams"
    assert [told for _, told in found] == ["ready", "ready", refused, "ready", refused]
    for socket, told in found:
        if told == refused:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1013
        await socket.close()

    async def free() -> bool:
        socket, told = await opened("a")
        await socket.close()
        return bool(told == "ready")

    await eventually(free)


async def test_a_client_that_leaves_frees_the_model(streaming: Streaming) -> None:
    data = encoded(np.concatenate([one.samples() for one in recordings()]))
    for _ in range(12):  # More than the model has places.
        async with connect(
            streaming.url, additional_headers=streaming.headers(), compression=None
        ) as socket:
            await socket.send(START)
            for place in range(0, 96_000, 6_400):
                await socket.send(data[place : place + 6_400])
            socket.transport.abort()
    heard = await streaming.recite(recordings()[1].samples(), frame_s=0.05)
    assert heard.of("partial")
