"""Both event sets of Socket.IO, over long polling and WebSocket, with the library's own client."""

import asyncio
import base64
from typing import Any

import httpx
import numpy as np
import pytest

from tests.integration.services_asr_stream.conftest import Streaming
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.socket_io import Caller
from tests.support.streaming import encoded

FRAME = 6_400


async def connected(
    streaming: Streaming, query: str = "", transports: list[str] | None = None
) -> Caller:
    caller = Caller(streaming.headers())
    await caller.client.connect(
        f"{streaming.app.url}?{query}", transports=transports, wait_timeout=10
    )
    return caller


@pytest.fixture(scope="module")
def expected(streaming: Streaming) -> str:
    pcm = recordings()[1].samples()
    return asyncio.run(streaming.recite(pcm, interim=False)).text


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]])
async def test_ai4i(streaming: Streaming, expected: str, transports: list[str]) -> None:
    query = f"serviceId=asr&language=en&samplingRate={SAMPLE_RATE}&preProcessors=[%22vad%22]"
    caller = await connected(streaming, query, transports)
    assert caller.client.sid
    assert caller.client.eio.sid.startswith("abcd1234-")
    await caller.client.emit("start", {"responseFrequencyInMs": 100})
    await caller.until("ready")
    data = encoded(recordings()[1].samples())
    for place in range(0, len(data), FRAME):
        await caller.client.emit("data", (data[place : place + FRAME], True, False))
    await caller.client.emit("data", (None, False, True))
    await caller.until("terminate")
    finals = [one for _, one in caller.of("response") if one["isFinal"]]
    assert " ".join(final["transcript"] for final in finals) == expected
    assert all(0 < final["confidence"] <= 1 for final in finals)
    assert {final["language"] for final in finals} == {"en"}
    await caller.until("disconnect")
    await caller.leave()
    assert not caller.of("error")


@pytest.mark.parametrize("coded", [False, True])
async def test_dhruva(streaming: Streaming, expected: str, *, coded: bool) -> None:
    caller = await connected(streaming, transports=["websocket"])
    task = {
        "taskType": "asr",
        "config": {"language": {"sourceLanguage": "en"}, "samplingRate": SAMPLE_RATE},
    }
    streaming_config = {"responseTaskSequenceDepth": 1, "responseFrequencyInSecs": 0.1}
    await caller.client.emit("start", ([task], streaming_config))
    await caller.until("ready")
    data = encoded(recordings()[1].samples())
    for place in range(0, len(data), FRAME):
        raw = data[place : place + FRAME]
        content = base64.b64encode(raw).decode() if coded else raw
        audio = {"audio": [{"audioContent": content}]}
        await caller.client.emit("data", (audio, streaming_config, False, False))
    await caller.client.emit("data", (None, None, True, True))
    await caller.until("terminate")
    finals = [
        tasks[0] for _, tasks, status in caller.of("response") if not status["isIntermediateResult"]
    ]
    assert " ".join(final["output"][0]["source"] for final in finals) == expected
    assert {final["taskType"] for final in finals} == {"asr"}
    await caller.leave()


async def test_stop_ends_a_dhruva_session(streaming: Streaming) -> None:
    caller = await connected(streaming, transports=["websocket"])
    task = {"taskType": "asr", "config": {"language": {"sourceLanguage": "en"}}}
    await caller.client.emit("start", ([task], {}))
    await caller.until("ready")
    await caller.client.emit("stop")
    await caller.until("terminate")
    await caller.until("disconnect")
    await caller.leave()


@pytest.mark.parametrize(
    ("query", "events", "code"),
    [
        ("", [("data", (b"\0\0", True, False))], "not_started"),
        ("language=xx", [("start", {})], "unsupported_language"),
        ("samplingRate=many", [("start", {})], "invalid_start"),
        ("samplingRate=7", [("start", {})], "unsupported_sample_rate"),
        ("postProcessors={", [("start", {})], "invalid_start"),
        ("postProcessors=[%22no%22]", [("start", {})], "unknown_processor"),
        ("serviceId=none", [("start", {})], "unknown_model"),
        ("", [("start", {"responseFrequencyInMs": "often"})], "invalid_start"),
        ("", [("start", {}), ("start", {})], "already_started"),
        ("", [("start", {}), ("data", (b"\0", True, False))], "invalid_frame"),
        ("", [("start", {}), ("data", ({"a": 1}, True, False))], "invalid_frame"),
    ],
)
async def test_what_is_wrong_is_said(
    streaming: Streaming, query: str, events: list[tuple[str, Any]], code: str
) -> None:
    caller = await connected(streaming, query, ["websocket"])
    for name, values in events:
        await caller.client.emit(name, values)
    _, error = await caller.until("error")
    assert error["code"] == code
    assert error["error"]
    assert error["timestamp"] > 0
    await caller.until("disconnect")
    await caller.leave()


@pytest.mark.parametrize(
    "sequence",
    [[], ["asr"], [{"taskType": "asr"}], [{"taskType": "asr"}, {"taskType": "translation"}]],
)
async def test_dhruva_is_refused_by_abort(streaming: Streaming, sequence: list[Any]) -> None:
    caller = await connected(streaming, transports=["websocket"])
    await caller.client.emit("start", (sequence, {}))
    _, message = await caller.until("abort")
    assert message.startswith("invalid_start: ")
    await caller.until("disconnect")
    await caller.leave()


async def test_only_who_began_a_session_goes_on_with_it(streaming: Streaming) -> None:
    caller = await connected(streaming, transports=["polling"])
    sid = caller.client.eio.sid
    headers = streaming.headers("other")
    async with httpx.AsyncClient(base_url=streaming.app.url, headers=headers) as other:
        place = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        answer = await other.post(place, content='42["start",{}]')
        assert (answer.status_code, answer.json()["code"]) == (403, "session_not_yours")
        assert (await other.get(place)).status_code == 403
    assert not caller.of("ready")
    await caller.leave()


async def test_malformed_packets_harm_nobody(streaming: Streaming) -> None:
    headers = streaming.headers()
    async with httpx.AsyncClient(base_url=streaming.app.url, headers=headers) as client:
        for packet in (
            "9",
            "4",
            "4[",
            "451-[",
            '42["start"',
            "42[]",
            "42[[[[",
            "b!",
            "\x1e",
            "4299",
        ):
            opened = await client.get("/socket.io/?EIO=4&transport=polling")
            sid = opened.text.partition('"sid":"')[2].partition('"')[0]
            place = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
            await client.post(place, content="40")
            answer = await client.post(place, content=packet)
            assert answer.status_code in (200, 400)
        for query in ("", "EIO=3&transport=polling", "EIO=4&transport=carrier", "EIO=4&sid=none"):
            assert (await client.get(f"/socket.io/?{query}")).status_code == 400
    caller = await connected(streaming, transports=["websocket"])
    await caller.client.emit("start", {})
    await caller.until("ready")
    await caller.client.emit("data", (encoded(np.zeros(1_600, np.int16)), False, True))
    await caller.until("terminate")
    await caller.leave()
