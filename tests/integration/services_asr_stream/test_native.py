"""The native stream on real Triton: the same words however the audio comes."""

import asyncio
import json
from typing import Any

import jiwer
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from websockets.asyncio.client import connect

from tests.integration.services_asr_stream.conftest import Streaming
from tests.support.poll import eventually
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.streaming import Heard, encoded, recite

TOLD = ("speech_started", "speech_ended", "final", "ack")


@pytest.fixture(scope="module")
def whole(streaming: Streaming, story: NDArray[np.int16]) -> Heard:
    return asyncio.run(streaming.recite(story))


async def test_a_stream_says_what_a_file_says(streaming: Streaming) -> None:
    with streaming.app.client() as client:
        for recording in recordings()[1::3]:
            heard = await streaming.recite(recording.samples())
            files = {"file": ("a.wav", recording.path.read_bytes())}
            answer = client.post("/api/v1/asr/transcribe", files=files).json()["output"][0]
            assert heard.text == answer["source"]
            words = [word for final in heard.finals for word in final["words"]]
            assert words == answer["words"]
            assert jiwer.wer(recording.reference, heard.text) <= 0.4


def test_events_come_in_order(whole: Heard, story: NDArray[np.int16]) -> None:
    kinds = [event["type"] for event in whole.events if event["type"] != "partial"]
    assert kinds[0] == "ready"
    assert kinds[-2:] == ["ack", "done"]
    assert len(whole.finals) == 2
    assert [kind for kind in kinds if kind.startswith("speech")] == [
        "speech_started",
        "speech_ended",
    ] * 2
    positions = [event["samples"] for event in whole.events if "samples" in event]
    assert positions == sorted(positions)
    assert positions[-1] == len(story)
    for final in whole.finals:
        edges = [edge for word in final["words"] for edge in (word["start"], word["end"])]
        assert edges == sorted(edges)
        assert final["text"] == " ".join(word["word"] for word in final["words"])
        assert edges[-1] * SAMPLE_RATE <= final["samples"]
    done = whole.of("done")[0]
    assert done["duration"] == pytest.approx(len(story) / SAMPLE_RATE, abs=1e-3)
    assert done["usage"] == {"audio_seconds": done["duration"]}
    assert whole.close_code == 1000
    assert whole.of("ready")[0]["interim"] is True


async def test_partials_grow_towards_the_final(streaming: Streaming) -> None:
    # Twice as fast as it was spoken: a stream that comes at once is done before it is heard.
    heard = await streaming.recite(recordings()[1].samples(), frame_s=0.05)
    partials = heard.of("partial")
    assert len(partials) >= 3
    ends = [partial["end"] for partial in partials]
    assert ends == sorted(ends)
    assert {partial["start"] for partial in partials} == {heard.of("speech_started")[0]["start"]}
    assert jiwer.wer(heard.text, partials[-1]["text"]) <= 0.5


@pytest.mark.parametrize("frame", [1_022, 500_000])
async def test_frames_of_any_size_say_the_same(
    streaming: Streaming, story: NDArray[np.int16], whole: Heard, frame: int
) -> None:
    heard = await streaming.recite(story, frame=frame, interim=False)
    assert not heard.of("partial")
    for kind in TOLD:
        assert heard.of(kind) == whole.of(kind)


@pytest.mark.parametrize("cut_s", [4.0, 6.2])
async def test_a_cut_stream_goes_on_as_if_it_had_not_been(
    streaming: Streaming, story: NDArray[np.int16], whole: Heard, cut_s: float
) -> None:
    cut = int(cut_s * SAMPLE_RATE) * 2
    url, headers, data = streaming.url, streaming.headers(), encoded(story)
    heard = await recite(url, headers, data, cut_at=cut, frame_s=0.01, interim=False)
    assert not heard.of("done")
    await recite(url, headers, data, heard=heard, interim=False)
    assert heard.finals == whole.finals
    first, second = heard.of("ready")
    assert first["session_id"] == second["session_id"]
    told = heard.events[: heard.events.index(second)]
    assert second["samples"] == max(one["samples"] for one in told if "samples" in one)


async def test_flush_settles_at_once(streaming: Streaming) -> None:
    pcm = recordings()[1].samples()
    async with connect(streaming.url, additional_headers=streaming.headers()) as socket:
        heard = Heard()
        listening = asyncio.create_task(heard.listen(socket))
        await socket.send(json.dumps({"type": "start", "interim": False}))
        await socket.send(encoded(pcm))
        await socket.send(json.dumps({"type": "flush"}))
        await eventually(lambda: bool(heard.of("ack")), timeout_s=20)
        assert heard.settled == len(pcm)
        assert len(heard.finals) == 1
        await socket.send(json.dumps({"type": "flush"}))
        await socket.send(json.dumps({"type": "stop"}))
        await listening
    assert heard.close_code == 1000


def mulaw(pcm: NDArray[np.int16]) -> bytes:
    """G.711 by its formula, against which the service's table is another way."""
    value = pcm.astype(np.int32)
    magnitude = np.minimum(np.abs(value), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    code = ~((value < 0) * 128 | exponent << 4 | mantissa)
    return code.astype(np.uint8).tobytes()


async def test_telephone_audio_and_its_resumption(streaming: Streaming) -> None:
    pcm = recordings()[4].samples()
    pause = np.zeros(SAMPLE_RATE, np.int16)
    spoken = np.concatenate([pcm, pause, pcm[: 2 * SAMPLE_RATE]])
    data = mulaw(soxr.resample(spoken, SAMPLE_RATE, 8_000))
    options: dict[str, Any] = {"sample_rate": 8_000, "encoding": "mulaw", "interim": False}
    url, headers = streaming.url, streaming.headers()
    straight = await recite(url, headers, data, frame=801, sample=1, **options)
    assert len(straight.finals) == 2
    assert "amiable" in straight.text
    heard = await recite(url, headers, data, sample=1, cut_after=1, **options)
    await recite(url, headers, data, heard=heard, sample=1, **options)
    assert heard.finals == straight.finals


async def test_silence_has_no_words_and_is_settled(streaming: Streaming) -> None:
    heard = await streaming.recite(np.zeros(10 * SAMPLE_RATE, np.int16))
    assert not heard.finals
    assert not heard.of("speech_started")
    positions = [ack["samples"] for ack in heard.of("ack")]
    assert len(positions) >= 3
    assert positions[-1] == 10 * SAMPLE_RATE


async def test_a_session_is_stored_and_a_broken_one_too(
    streaming: Streaming, story: NDArray[np.int16], whole: Heard
) -> None:
    with streaming.app.client() as client:
        stored = client.get(f"/api/v1/asr/requests/{whole.of('done')[0]['id']}").json()
        assert stored["status"] == "succeeded"
        assert stored["segments"] == 2
        assert stored["output"][0]["source"] == whole.text
        secret = await streaming.recite(story[:SAMPLE_RATE], data_tracking=False)
        stored = client.get(f"/api/v1/asr/requests/{secret.of('done')[0]['id']}").json()
        assert stored["output"] == []
        data = encoded(story)
        broken = await recite(streaming.url, streaming.headers(), data, cut_at=40_000, frame_s=0.01)
        place = f"/api/v1/asr/requests/{broken.of('ready')[0]['id']}"

        def kept() -> bool:
            return client.get(place).status_code == 200

        await eventually(kept, timeout_s=10)
        row = client.get(place).json()
        assert (row["status"], row["error_code"]) == ("cancelled", "client_disconnected")
        assert row["audio_seconds"] == 0.0  # Nothing was settled: the rest is charged where it is.


async def test_streams_are_counted(streaming: Streaming) -> None:
    heard = await streaming.recite(recordings()[1].samples(), frame_s=0.05)
    assert heard.of("partial")
    with streaming.app.client() as client:

        def line(name: str) -> float:
            text = client.get("/metrics").text
            found = [one for one in text.splitlines() if one.startswith(f'{name}{{model="asr"')]
            return float(found[0].rsplit(" ", 1)[1])

        assert line("speechgate_asr_stream_finals_total") >= 1
        assert line("speechgate_asr_stream_partial_seconds_count") >= 1
        await eventually(lambda: line("speechgate_asr_streams_open") == 0, timeout_s=10)
