"""The native stream on real Triton: text in pieces, audio out while it is made."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from websockets.asyncio.client import connect

from deploy.local.triton import TritonServer
from services.tts.settings import TtsSettings
from shared.audio.encode import OutputFormat
from tests.integration.services_tts.conftest import Serve
from tests.integration.services_tts.test_faults import rows
from tests.integration.services_tts.test_stream import body, samples_of, spoken
from tests.support.live_app import LiveApp, until
from tests.support.live_speech import STREAM, Spoken, dictate, exchange, send, text
from tests.support.poll import eventually

one_app = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TEXT = "The harbour was quiet that morning. Nobody spoke of the storm, of 3.5 metres or more."
LONG = "The quick brown fox jumps over the lazy dog near the bank of the old river. " * 100
START = {"type": "start", "language": "en"}


def url(app: LiveApp) -> str:
    return app.url.replace("http", "ws", 1) + STREAM


def headers(app: LiveApp, *scopes: str) -> dict[str, str]:
    return app.keys.headers("tts", *scopes)


def pieces(whole: str, size: int = 7) -> Iterator[str]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


async def said(app: LiveApp, *messages: Any) -> Spoken:
    async with asyncio.timeout(30):
        return await exchange(url(app), headers(app), *messages)


async def test_pieces_sound_as_the_whole(app: LiveApp) -> None:
    told = await dictate(url(app), headers(app), pieces(TEXT), language="en", word_times=True)
    ready, *between, done = told.events
    assert told.close_code == 1000
    assert ready == {
        "type": "ready",
        "id": ready["id"],
        "model": "tts",
        "language": "en",
        "voice": None,
        "gender": "female",
        "format": "pcm",
        "sample_rate": 22_050,
        "media_type": "audio/pcm;rate=22050;channels=1",
    }
    with app.client() as client:
        wanted = body(TEXT, audioFormat="pcm")
        whole = client.post(STREAM, json=wanted).content
        stored = client.get(f"/api/v1/tts/requests/{ready['id']}").json()
    # The pause after the last sentence, and how a text is cut, is all that differs.
    assert len(told.audio) == pytest.approx(len(whole), rel=0.15)
    assert np.abs(np.frombuffer(told.audio, "<i2")).max() > 3000
    words = [word for event in between if event["type"] == "words" for word in event["words"]]
    assert " ".join(word["word"] for word in words) == TEXT
    edges = [edge for word in words for edge in (word["start"], word["end"])]
    assert edges == sorted(edges)
    assert edges[-1] <= done["duration"]
    assert done["duration"] == pytest.approx(len(told.audio) / 2 / 22_050, abs=0.01)
    assert done["usage"] == {"characters": len(TEXT)}
    assert done["id"] == ready["id"]
    assert stored["status"] == "succeeded"
    (output,) = stored["output"]
    assert output["source"] == TEXT
    assert output["size"] == len(told.audio)
    with app.client() as client:
        metrics = client.get("/metrics").text
    assert 'speechgate_tts_streams_ended_total{status="succeeded"}' in metrics


@one_app
@pytest.mark.parametrize("form", OutputFormat)
async def test_every_format_is_one_file(app: LiveApp, form: OutputFormat) -> None:
    told = await dictate(
        url(app), headers(app), pieces(TEXT), language="en", format=form, sample_rate=24_000
    )
    assert not told.errors
    # FFmpeg reads every Opus file at 48 kHz.
    rate = 48_000 if form is OutputFormat.OPUS else 24_000
    samples = samples_of(told.audio, form)
    assert len(samples) / rate == pytest.approx(told.of("done")[0]["duration"], abs=0.3)
    assert np.abs(samples).max() > 0.1


@one_app
async def test_a_sentence_is_heard_before_the_next_is_sent(app: LiveApp) -> None:
    told = Spoken()
    async with connect(url(app), additional_headers=headers(app)) as stream:
        listening = asyncio.create_task(told.listen(stream))
        await send(stream, START, text("One is said. Two"))
        await eventually(lambda: len(told.audio) > 10_000)
        before = len(told.audio)
        await send(stream, {"type": "flush"})
        await eventually(lambda: "flushed" in told.kinds)
        assert len(told.audio) > before + 10_000
        heard = len(told.audio) / 2 / 22_050
        assert told.of("flushed")[0]["duration"] == pytest.approx(heard, abs=0.01)
        # The end of a sentence is taken for one when nothing follows.
        before = len(told.audio)
        await send(stream, text("Three is said."))
        await eventually(lambda: len(told.audio) > before + 10_000)
        await send(stream, {"type": "stop"})
        await listening
    assert told.kinds[-1] == "done"


@one_app
@pytest.mark.parametrize(
    ("messages", "code", "close"),
    [
        ([{"type": "text", "text": "a"}], "not_started", 1008),
        ([b"\0\0"], "not_started", 1008),
        (["{"], "invalid_json", 1007),
        (["[]"], "invalid_json", 1007),
        ([START | {"unheard_of": 1}], "invalid_start", 1008),
        ([START | {"speed": 9}], "invalid_start", 1008),
        ([START | {"language": "../x"}], "invalid_start", 1008),
        ([START | {"sample_rate": "8000"}], "invalid_start", 1008),
        ([START | {"language": "xx"}], "unsupported_language", 1008),
        ([START | {"format": "midi"}], "unsupported_audio_format", 1008),
        ([START | {"format": "opus", "sample_rate": 44_100}], "unsupported_sampling_rate", 1008),
        ([START | {"service_id": "none"}], "unknown_model", 1008),
        ([START | {"voice": "en-us+nobody"}, text("Hello."), {"type": "stop"}],
         "unknown_speaker", 1008),
        ([START, START], "already_started", 1008),
        ([START, {"type": "shout"}], "invalid_message", 1008),
        ([START, {"type": "text", "text": 7}], "invalid_message", 1008),
        ([START, b"\0\0"], "invalid_message", 1008),
        ([START, '{"type":"text","text":"\\ud800"}'], "invalid_json", 1007),
        ([START, text("a" * 10_001)], "text_too_long", 1008),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said(
    app: LiveApp, messages: list[Any], code: str, close: int
) -> None:
    told = await said(app, *messages)
    assert (told.errors, told.close_code) == ([code], close)
    assert set(told.of("error")[0]) == {"type", "code", "detail"}
    assert not told.of("done")


@one_app
async def test_a_message_has_a_bound(app: LiveApp) -> None:
    assert (await said(app, START, text("a" * (1 << 20)))).close_code == 1009


@one_app
async def test_scopes_and_identity(app: LiveApp) -> None:
    for given in ({}, headers(app, "tts:read")):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            await connect(url(app), additional_headers=given)


@one_app
async def test_nothing_of_what_may_not_be_kept_is(app: LiveApp) -> None:
    told = await dictate(
        url(app), headers(app), ["My number is secret."], language="en", data_tracking=False
    )
    with app.client() as client:
        stored = client.get(f"/api/v1/tts/requests/{told.events[0]['id']}").json()
    assert (stored["status"], stored["output"]) == ("succeeded", [])
    assert stored["characters"] == len("My number is secret.")


def test_bounds_of_a_stream(settings: TtsSettings, serve: Serve) -> None:
    bounded = settings.model_copy(
        update={
            "stream_start_timeout_s": 0.1,
            "stream_idle_timeout_s": 0.2,
            "tts_stream_max_characters": 50,
            "stream_max_per_tenant": 1,
        }
    )

    async def run(app: LiveApp) -> None:
        silent = await said(app)
        assert (silent.errors, silent.close_code) == (["start_timeout"], 1008)
        idle = await said(app, START)
        assert (idle.errors, idle.close_code) == (["idle_timeout"], 1001)
        long = await said(app, START, text("a" * 51))
        assert (long.errors, long.close_code) == (["stream_too_long"], 1008)
        async with connect(url(app), additional_headers=headers(app)) as first:
            await send(first, START)
            await first.recv()
            second = await said(app, START)
            assert (second.errors, second.close_code) == (["too_many_streams"], 1013)
        await eventually(lambda: open_streams(app) == 0)

    with serve(bounded) as app:
        asyncio.run(run(app))


def open_streams(app: LiveApp) -> float:
    lines = httpx.get(f"{app.url}/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("speechgate_tts_streams_open ")]
    return float(found[0].rsplit(" ", 1)[1])


def test_who_leaves_stops_the_work(
    settings: TtsSettings, serve: Serve, triton: TritonServer
) -> None:
    async def leave(app: LiveApp) -> None:
        async with connect(url(app), additional_headers=headers(app)) as stream:
            await send(stream, START | {"cache": False}, text(LONG), {"type": "flush"})
            while not isinstance(await stream.recv(), bytes):
                pass
            stream.transport.abort()

    with serve(settings) as app:
        before = spoken(triton)
        asyncio.run(leave(app))
        until(lambda: rows(settings) == [("failed", "client_disconnected")], timeout_s=5)
        assert open_streams(app) == 0
        assert spoken(triton) - before < 40
        ended = 'speechgate_tts_streams_ended_total{status="client_disconnected"} 1.0'
        assert ended in httpx.get(f"{app.url}/metrics").text


def test_who_does_not_read_is_left(settings: TtsSettings, serve: Serve) -> None:
    impatient = settings.model_copy(update={"stream_slow_reader_s": 0.5})

    async def hang(app: LiveApp) -> None:
        # Buffers of the kernel would take seconds of speech.
        small = socket.create_connection(tuple(app.url.removeprefix("http://").split(":")))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with connect(
            url(app), additional_headers=headers(app), sock=small, max_queue=1, close_timeout=0.1
        ) as stream:
            await send(stream, START | {"sample_rate": 48_000})
            with contextlib.suppress(websockets.exceptions.ConnectionClosed):
                for part in pieces(LONG * 4, 3_000):
                    await asyncio.wait_for(send(stream, text(part)), 5)
            await asyncio.to_thread(
                until, lambda: rows(impatient) == [("failed", "slow_reader")], timeout_s=20
            )

    with serve(impatient) as app:
        asyncio.run(hang(app))
        until(lambda: open_streams(app) == 0, timeout_s=5)
