"""Speech through the gateway, by the official `openai` client and by our own dialects."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest
import soundfile

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key

# What answers is the same with either stack; this one has a real database and real limits.
pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
TEXT = (
    "The harbour was quiet that morning, and only a few boats had come back. "
    "Nobody spoke of the storm, although everyone had seen what it left behind. "
    "A woman in a grey coat counted the nets twice, and wrote a number into her book."
)
# FFmpeg's name of what is in the file, by the format that is asked for.
CODED = {
    "mp3": "mp3",
    "opus": "opus",
    "aac": "aac",
    "flac": "flac",
    "wav": "pcm_s16le",
    "pcm": None,
}
RATE = 24_000


@pytest.fixture
def sdk(stack: Stack) -> Iterator[openai.OpenAI]:
    """The official client, with nothing but another base URL."""
    url = f"{stack.info.gateway_url}/v1"
    with openai.OpenAI(base_url=url, api_key=admin_key(stack), max_retries=0) as client:
        yield client


def seconds_of(content: bytes, form: str) -> float:
    """Length of a file, all of it decoded; checks what it holds."""
    if CODED[form] is None:
        return len(content) / 2 / RATE
    if form in ("flac", "wav", "mp3", "opus"):
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            assert (sound.samplerate, sound.channels) == (RATE, 1)
    with av.open(io.BytesIO(content)) as file:
        found = file.streams.audio[0]
        assert found.codec_context.name.removesuffix("float") == CODED[form]
        decoded = sum(frame.samples for frame in file.decode(audio=0))
        return decoded / found.rate


@pytest.mark.parametrize("form", CODED)
def test_the_sdk_streams_every_format(sdk: openai.OpenAI, form: Any) -> None:
    create = sdk.audio.speech.with_streaming_response.create
    with create(model="tts-1", voice="nova", input=TEXT, response_format=form) as answer:
        parts = list(answer.iter_bytes())
    streamed = b"".join(parts)
    assert len(parts) > 1
    plain = sdk.audio.speech.create(
        model="gpt-4o-mini-tts", voice="nova", input=TEXT, response_format=form
    ).read()
    lengths = [seconds_of(content, form) for content in (streamed, plain)]
    reference = sdk.audio.speech.create(
        model="tts", voice="nova", input=TEXT, response_format="pcm"
    ).read()
    assert lengths == pytest.approx([len(reference) / 2 / RATE] * 2, abs=0.15)


def test_the_sdk_s_events(sdk: openai.OpenAI) -> None:
    create = sdk.audio.speech.with_streaming_response.create
    with create(
        model="tts-1", voice="onyx", input=TEXT, response_format="pcm", stream_format="sse"
    ) as answer:
        lines = [line for line in answer.iter_lines() if line]
    *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines]
    audio = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    plain = sdk.audio.speech.create(
        model="tts-1", voice="onyx", input=TEXT, response_format="pcm"
    ).read()
    assert len(deltas) > 1
    assert audio == plain
    assert (done["type"], done["usage"]["input_tokens"]) == ("speech.audio.done", len(TEXT))


def test_the_sdk_knows_the_refusals(sdk: openai.OpenAI) -> None:
    create = sdk.audio.speech.create
    with pytest.raises(openai.NotFoundError) as unknown:
        create(model="tts-9", voice="nova", input="Hello.")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as long:
        create(model="tts-1", voice="nova", input="a" * 4097)
    assert (long.value.code, long.value.param) == ("string_above_max_length", "input")
    with pytest.raises(openai.BadRequestError) as empty:
        create(model="tts-1", voice="nova", input="...")
    assert empty.value.param == "input"


def test_one_sound_in_every_dialect(client: httpx.Client, sdk: openai.OpenAI) -> None:
    config = {
        "language": {"sourceLanguage": "en"},
        "gender": "female",
        "audioFormat": "pcm",
        "samplingRate": RATE,
    }
    document = {"input": [{"source": TEXT}], "config": config}
    found = {}
    for path in ("/api/v1/tts/inference", "/services/inference/tts?serviceId=tts"):
        answer = client.post(path, json=document)
        assert answer.status_code == 200, answer.text
        found[path] = base64.b64decode(answer.json()["audio"][0]["audioContent"])
    with client.stream("POST", "/api/v1/tts/stream", json=document) as answer:
        assert answer.headers["content-type"] == "audio/pcm;rate=24000;channels=1"
        assert answer.headers["x-model-variant"]
        found["stream"] = b"".join(answer.iter_raw())
        stored_id = answer.headers["x-speech-id"]
    found["openai"] = sdk.audio.speech.create(
        model="tts-1", voice="female", input=TEXT, response_format="pcm"
    ).read()
    assert len(set(found.values())) == 1
    assert np.abs(np.frombuffer(found["stream"], "<i2")).max() > 3000
    stored = client.get(f"/api/v1/tts/requests/{stored_id}").json()
    assert stored["status"] == "succeeded"
    assert stored["output"][0]["size"] == len(found["stream"])


def test_thirty_languages_are_listed_and_speak(client: httpx.Client) -> None:
    voices = client.get("/api/v1/tts/voices").json()["voices"]
    languages = sorted({voice["language"] for voice in voices if voice["serviceId"] == "tts"})
    assert len(languages) >= 30
    for language in languages:
        document = {
            "input": [{"source": "2, 3."}],
            "config": {"language": {"sourceLanguage": language}, "audioFormat": "pcm"},
        }
        answer = client.post("/api/v1/tts/inference", json=document)
        assert answer.status_code == 200, (language, answer.text)
        assert answer.json()["audio"][0]["duration"] > 0.2, language
