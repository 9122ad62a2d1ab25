"""ai4i's events of live synthesis, over long polling and WebSocket, by the library's own client."""

import base64
import io
from typing import Any

import pytest
import socketio
import soundfile

from tests.support.live_app import LiveApp
from tests.support.poll import eventually
from tests.support.socket_io import Caller

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TEXT = "The harbour was quiet that morning. Nobody spoke of the storm."
BOTH = ["polling", "websocket"]


async def connected(
    app: LiveApp, query: str = "", transports: list[str] | None = None, *scopes: str
) -> Caller:
    headers = {**app.keys.headers("tts", *scopes), "x-sg-replica": "abcd1234"}
    caller = Caller(headers)
    await caller.client.connect(
        f"{app.url}?{query}", transports=transports or ["websocket"], wait_timeout=10
    )
    return caller


def length_of(response: dict[str, Any]) -> float:
    """Seconds of a response's file, all of it read."""
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(response["audioContent"])))
    return len(samples) / rate


@pytest.mark.parametrize("transports", [["polling"], BOTH])
async def test_text_in_pieces(app: LiveApp, transports: list[str]) -> None:
    query = "serviceId=tts&language=en&voice_id=en-male&gender=male&samplingRate=16000"
    caller = await connected(app, query, transports)
    assert caller.client.eio.sid.startswith("abcd1234-")
    await caller.client.emit("start", {})
    await caller.until("ready")
    for place in range(0, len(TEXT), 9):
        await caller.client.emit("data", (TEXT[place : place + 9], False, False))
    await caller.client.emit("data", ("", True, False))
    await eventually(
        lambda: [one for _, one in caller.of("response") if one["isFinal"]] != [], timeout_s=20
    )
    await caller.client.emit("data", ("Thank you.", True, True))
    await caller.until("terminate")
    await caller.until("disconnect")
    responses = [one for _, one in caller.of("response")]
    assert [one["isFinal"] for one in responses][-2:] == [True, True]
    for one in responses:
        assert set(one) == {"audioContent", "isFinal", "duration", "timestamp", "format"}
        assert one["format"] == "wav"
        assert length_of(one) == pytest.approx(one["duration"], abs=0.01)
        assert one["duration"] > 0.3
    assert not caller.of("error")
    await caller.leave()


async def test_a_final_without_text_is_answered(app: LiveApp) -> None:
    caller = await connected(app)
    await caller.client.emit("start")
    await caller.until("ready")
    await caller.client.emit("data", (None, True, True))
    await caller.until("terminate")
    ((_, response),) = caller.of("response")
    assert (response["audioContent"], response["isFinal"], response["duration"]) == ("", True, 0)
    await caller.leave()


async def test_stop_ends_a_session(app: LiveApp) -> None:
    caller = await connected(app, "audioFormat=mp3")
    await caller.client.emit("start", {})
    await caller.until("ready")
    await caller.client.emit("data", ("Thank you", False, False))
    await caller.client.emit("stop")
    await caller.until("terminate")
    ((_, response),) = caller.of("response")
    assert response["format"] == "mp3"
    assert length_of(response) == pytest.approx(response["duration"], abs=0.15)
    await caller.leave()


@pytest.mark.parametrize(
    ("query", "events", "code"),
    [
        ("", [("data", ("Hello.", True, False))], "not_started"),
        ("language=xx", [("start", {})], "unsupported_language"),
        ("samplingRate=many", [("start", {})], "invalid_start"),
        ("samplingRate=7", [("start", {})], "unsupported_sampling_rate"),
        ("gender=other", [("start", {})], "invalid_start"),
        ("voice_id=..%2Fx", [("start", {})], "invalid_start"),
        ("audioFormat=midi", [("start", {})], "unsupported_audio_format"),
        ("serviceId=none", [("start", {})], "unknown_model"),
        ("", [("start", {}), ("start", {})], "already_started"),
        ("", [("start", {}), ("data", (b"\0", True, False))], "invalid_message"),
        ("", [("start", {}), ("data", ({"a": 1}, True, False))], "invalid_message"),
        ("", [("start", {}), ("data", ("a" * 10_001, True, False))], "text_too_long"),
        ("voice_id=en-us%2Bnobody", [("start", {}), ("data", ("a", True, False))],
         "unknown_speaker"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said(
    app: LiveApp, query: str, events: list[tuple[str, Any]], code: str
) -> None:
    caller = await connected(app, query)
    for name, values in events:
        await caller.client.emit(name, values)
    _, error = await caller.until("error")
    assert error["code"] == code
    assert error["error"]
    assert error["timestamp"] > 0
    await caller.until("disconnect")
    await caller.leave()


async def test_who_may_not_is_refused(app: LiveApp) -> None:
    caller = Caller(app.keys.headers("tts", "tts:read"))
    refusals: list[dict[str, Any]] = []
    caller.client.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await caller.client.connect(app.url, transports=["websocket"], wait_timeout=5)
    await caller.leave()
    assert [refusal["data"] for refusal in refusals] == [{"code": "scope_missing"}]


async def test_who_polls_seldom_gets_all(app: LiveApp) -> None:
    caller = await connected(app, transports=["polling"])
    await caller.client.emit("start", {})
    await caller.until("ready")
    text = "This is said slowly, one sentence at a time. " * 8
    await caller.client.emit("data", (text, True, True))
    await caller.until("terminate")
    total = sum(one["duration"] for _, one in caller.of("response"))
    assert total > 15
    await caller.leave()
