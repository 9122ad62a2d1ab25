import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import pytest
import soundfile

from deploy.local.triton import TritonServer
from services.tts.settings import TtsSettings
from shared.audio.encode import CODECS, OutputFormat, holds_rate
from tests.integration.services_tts.conftest import Serve
from tests.integration.services_tts.test_faults import rows
from tests.support.live_app import LiveApp, until

PATH = "/api/v1/tts/stream"
INFERENCE = "/api/v1/tts/inference"
SENTENCE = "The quick brown fox jumps over the lazy dog near the bank of the old river. "
TEXT = SENTENCE * 6
one_app = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
LOSSLESS = {OutputFormat.WAV, OutputFormat.FLAC, OutputFormat.PCM}
# FFmpeg's names of what is in each file.
CODED = {
    OutputFormat.WAV: "pcm_s16le",
    OutputFormat.FLAC: "flac",
    OutputFormat.OGG: "vorbis",
    OutputFormat.OPUS: "opus",
    OutputFormat.MP3: "mp3",
    OutputFormat.AAC: "aac",
}


def body(text: str = TEXT, **config: Any) -> dict[str, Any]:
    plain = {"language": {"sourceLanguage": "en"}, "gender": "female"}
    return {"input": [{"source": text}], "config": plain | config}


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def samples_of(content: bytes, form: OutputFormat) -> np.ndarray:
    """`[T] float32` of a file, read to its end."""
    if form is OutputFormat.PCM:
        return np.frombuffer(content, "<i2").astype(np.float32) / 32768
    with av.open(io.BytesIO(content)) as file:
        found = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
    samples = np.concatenate(found)
    scale = 32768.0 if samples.dtype.kind == "i" else 1.0
    return samples.astype(np.float32) / np.float32(scale)


@one_app
@pytest.mark.parametrize(
    ("form", "rate"),
    [
        (form, rate)
        for form in OutputFormat
        for rate in (8_000, 24_000, 44_100)
        if holds_rate(form, rate)
    ],
)
def test_every_format_opens_with_its_codec_rate_and_length(
    app: LiveApp, form: OutputFormat, rate: int
) -> None:
    config = {"audioFormat": form.value, "samplingRate": rate}
    with app.client("tts:infer") as client:
        answer = client.post(PATH, json=body(**config))
        whole = client.post(INFERENCE, json=body(**config)).json()
    assert answer.status_code == 200, answer.text
    media_type = answer.headers["content-type"]
    assert media_type.startswith(CODECS[form].media_type)
    content, kept = answer.content, base64.b64decode(whole["audio"][0]["audioContent"])
    streamed, unstreamed = samples_of(content, form), samples_of(kept, form)
    for found, samples in ((content, streamed), (kept, unstreamed)):
        if form is OutputFormat.PCM:
            assert media_type == f"audio/pcm;rate={rate};channels=1"
        else:
            with av.open(io.BytesIO(found)) as file:
                sound = file.streams.audio[0]
                assert (sound.codec_context.name.removesuffix("float"), sound.channels) == (
                    CODED[form],
                    1,
                )
                # FFmpeg reads every Opus file at 48 kHz; the header has the other rate.
                decoded = 48_000 if form is OutputFormat.OPUS else rate
                assert sound.rate == decoded
        length = len(samples) / (48_000 if form is OutputFormat.OPUS else rate)
        # Coders of frames pad the first and the last.
        assert length == pytest.approx(whole["audio"][0]["duration"], abs=0.45)
        if form is not OutputFormat.AAC and form is not OutputFormat.PCM:
            with soundfile.SoundFile(io.BytesIO(found)) as sound_file:
                assert (sound_file.samplerate, sound_file.format) == (rate, CODECS[form].container)
                assert sound_file.subtype == CODECS[form].subtype
        assert np.abs(samples).max() > 0.1
    if form in LOSSLESS:
        assert np.array_equal(streamed, unstreamed)


@one_app
def test_a_short_text_states_its_length(app: LiveApp) -> None:
    for form in ("wav", "flac", "mp3"):
        with app.client("tts:infer") as client:
            content = client.post(PATH, json=body("Hello there.", audioFormat=form)).content
            whole = client.post(INFERENCE, json=body("Hello there.", audioFormat=form)).json()
        duration = whole["audio"][0]["duration"]
        assert soundfile.info(io.BytesIO(content)).duration == pytest.approx(duration, abs=0.1)


def test_the_beginning_leaves_before_the_rest_is_made(
    settings: TtsSettings, serve: Serve, triton: TritonServer
) -> None:
    with serve(settings) as app, app.client("tts:infer", "tts:read") as client:
        made = spoken(triton)
        with client.stream("POST", PATH, json=body(SENTENCE * 60, audioFormat="pcm")) as answer:
            parts = answer.iter_raw()
            first = next(parts)
            assert len(first) > 1000
            assert spoken(triton) - made < 30
            rest = sum(map(len, parts))
        assert rest > 50 * len(first)
        stored = client.get(f"/api/v1/tts/requests/{answer.headers['x-speech-id']}").json()
    assert stored["status"] == "succeeded"
    assert stored["output"][0]["size"] == len(first) + rest
    assert stored["duration"] == pytest.approx((len(first) + rest) / 2 / 22_050, abs=0.01)


def spoken(triton: TritonServer) -> float:
    lines = httpx.get(triton.metrics_url).text.splitlines()
    counts = [line for line in lines if line.startswith("nv_inference_request_success{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in counts if 'model="tts"' in line)


@one_app
@pytest.mark.parametrize("how", ["body", "query"])
def test_events_hold_the_file_and_its_times(app: LiveApp, how: str) -> None:
    wanted = body(audioFormat="pcm", wordTimes=True)
    query = {"stream_format": "sse"} if how == "query" else {}
    if how == "body":
        wanted["streamFormat"] = "sse"
    with (
        app.client("tts:infer") as client,
        client.stream("POST", PATH, json=wanted, params=query) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = list(events(answer))
    with app.client("tts:infer") as client:
        plain = client.post(PATH, json=body(audioFormat="pcm")).content
    start, *between, done = found
    assert start == {
        "type": "start",
        "id": answer.headers["x-speech-id"],
        "audioFormat": "pcm",
        "samplingRate": 22_050,
        "mediaType": "audio/pcm;rate=22050;channels=1",
    }
    audio = b"".join(base64.b64decode(one["audio"]) for one in between if one["type"] == "audio")
    assert audio == plain
    assert len([one for one in between if one["type"] == "audio"]) > 3
    words = [word for one in between if one["type"] == "words" for word in one["words"]]
    assert " ".join(word["word"] for word in words) == TEXT.strip()
    edges = [edge for word in words for edge in (word["start"], word["end"])]
    assert edges == sorted(edges)
    assert edges[-1] <= done["duration"]
    assert done["type"] == "done"
    assert done["duration"] == pytest.approx(len(audio) / 2 / 22_050, abs=0.01)
    assert done["usage"] == {"characters": len(TEXT)}


@one_app
def test_marks_of_the_markup_have_their_times(app: LiveApp) -> None:
    text = (
        '<speak>One is said here. <mark name="two"/>Two is said there.'
        '<break time="1500ms"/><mark name="end"/></speak>'
    )
    with app.client("tts:infer") as client:
        whole = client.post(INFERENCE, json=body(text)).json()["audio"][0]
        wanted = {**body(text), "streamFormat": "sse"}
        with client.stream("POST", PATH, json=wanted) as answer:
            found = list(events(answer))
    marks = {mark["name"]: mark["time"] for mark in whole["marks"]}
    assert list(marks) == ["two", "end"]
    assert 0.5 < marks["two"] < marks["end"] - 2
    assert marks["end"] == pytest.approx(whole["duration"], abs=0.01)
    told = {one["name"]: one["time"] for one in found if one["type"] == "mark"}
    assert told == marks


@one_app
def test_what_is_wrong_before_the_first_byte_is_an_ordinary_error(app: LiveApp) -> None:
    cases = [
        (body(""), "empty_text"),
        (body(language={"sourceLanguage": "xx"}), "unsupported_language"),
        (body(voice="en-us+nobody"), "unknown_speaker"),
        (body(audioFormat="midi"), "unsupported_audio_format"),
        ({**body(), "input": []}, "validation_failed"),
        ({**body(), "input": [{"source": "a"}] * 2}, "validation_failed"),
        ({**body(), "streamFormat": "video"}, "validation_failed"),
    ]
    with app.client("tts:infer") as client:
        for wrong, code in cases:
            answer = client.post(PATH, json=wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_failure_in_the_middle_is_seen(
    settings: TtsSettings, serve: Serve, triton: TritonServer
) -> None:
    file = body(SENTENCE * 120, audioFormat="pcm", cache=False)
    told = {**file, "streamFormat": "sse"}
    with serve(settings) as app, app.client("tts:infer") as client:
        try:
            with (
                client.stream("POST", PATH, json=file) as audio,
                client.stream("POST", PATH, json=told) as found,
            ):
                assert (audio.status_code, found.status_code) == (200, 200)
                parts, lines = audio.iter_raw(), found.iter_lines()
                next(parts), next(lines)
                triton.kill()
                with pytest.raises(httpx.RemoteProtocolError):
                    list(parts)
                last = [line for line in lines if line][-1]
                event = json.loads(last.removeprefix("data: "))
                assert event["type"] == "error"
                assert event["error"]["status"] in (503, 504)
        finally:
            triton.restart()
        until(lambda: len(rows(settings)) == 2, timeout_s=5)
        failures = rows(settings)
        assert {status for status, _ in failures} == {"failed"}
        metrics = httpx.get(f"{app.url}/metrics").text
        for _, code in failures:
            assert f'speechgate_tts_broken_streams_total{{code="{code}"}}' in metrics


def test_a_client_that_leaves_stops_the_work(
    settings: TtsSettings, serve: Serve, triton: TritonServer
) -> None:
    with serve(settings) as app:
        before = spoken(triton)
        with (
            app.client("tts:infer") as client,
            client.stream("POST", PATH, json=body(SENTENCE * 120)) as answer,
        ):
            next(answer.iter_raw())
        until(lambda: rows(settings) == [("failed", "client_disconnected")], timeout_s=5)
        assert spoken(triton) - before < 60
        with app.client("tts:infer") as client:
            assert client.post(PATH, json=body("Hello.")).status_code == 200


@one_app
def test_the_document_tells_of_both_kinds_of_answer(app: LiveApp) -> None:
    with app.client() as client:
        document = client.get("/openapi.json").json()
    post = document["paths"][PATH]["post"]
    assert set(post["responses"]["200"]["content"]) == {"audio/*", "text/event-stream"}
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert "streamFormat" in schema["properties"]
