"""Every dialect and format of the ASR service says the same of the same file."""

import asyncio
import base64
import csv
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import socketio
import srt
import webvtt

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key, client_of, make_key
from tests.support.recordings import recordings
from tests.support.streaming import STREAM, encoded, recite

# What answers is the same with either stack; this one has a real database and real limits.
pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
ROOT = Path(__file__).parents[2]
# The shortest: it is recognized some twenty times.
RECORDING = min(recordings(), key=lambda one: one.path.stat().st_size)
FORMATS = ("verbose_json", "srt", "vtt", "csv")


@pytest.fixture
def sdk(stack: Stack) -> Iterator[openai.OpenAI]:
    """The official client, with nothing but another base URL."""
    with sdk_of(stack, admin_key(stack)) as client:
        yield client


def sdk_of(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.info.gateway_url}/v1", api_key=key, max_retries=0)


def upload(client: httpx.Client, **fields: str) -> dict[str, Any]:
    with RECORDING.path.open("rb") as file:
        answer = client.post("/api/v1/asr/transcribe", files={"file": file}, data=fields)
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["output"]
    found: dict[str, Any] = output
    return found


def ulca(**config: Any) -> dict[str, Any]:
    content = base64.b64encode(RECORDING.path.read_bytes()).decode()
    return {
        "audio": [{"audioContent": content}],
        "config": {"language": {"sourceLanguage": "en"}, **config},
    }


def text_of(rendered: str, wanted: str) -> str:
    """The words of a format, as a public parser reads them."""
    if wanted == "srt":
        return " ".join(cue.content for cue in srt.parse(rendered, ignore_errors=False))
    if wanted in ("vtt", "webvtt"):
        return " ".join(cue.text for cue in webvtt.from_buffer(io.StringIO(rendered)))
    if wanted == "csv":
        rows = csv.DictReader(io.StringIO(rendered, newline=""), strict=True)
        return " ".join(row["text"] for row in rows)
    return rendered.strip()


def test_one_text_in_every_dialect_and_format(
    stack: Stack, client: httpx.Client, sdk: openai.OpenAI
) -> None:
    expected = upload(client)["source"]
    assert len(expected.split()) > 5

    found = {f"upload {one}": text_of(upload(client, transcription_format=one)["source"], one)
             for one in FORMATS}  # fmt: skip
    for path in ("/api/v1/asr/inference", "/services/inference/asr"):
        answer = client.post(path, json=ulca())
        assert answer.status_code == 200, answer.text
        found[path] = answer.json()["output"][0]["source"]
    headers = {"Authorization": admin_key(stack), "x-auth-source": "API_KEY"}
    with client_of(stack, "") as other:
        raw = other.post("/services/inference/asr?serviceId=asr", json=ulca(), headers=headers)
    found["ULCA with a raw key"] = raw.json()["output"][0]["source"]

    create = sdk.audio.transcriptions.create
    file = RECORDING.path
    found["sdk json"] = create(file=file, model="gpt-4o-transcribe").text
    for one in ("text", "srt", "vtt"):
        rendered = create(file=file, model="whisper-1", response_format=one)  # type: ignore[call-overload]
        found[f"sdk {one}"] = text_of(rendered, one)
    verbose = create(
        file=file,
        model="asr",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    found["sdk verbose_json"] = verbose.text
    found["sdk words"] = " ".join(word.word for word in verbose.words or ())
    found["sdk segments"] = " ".join(segment.text for segment in verbose.segments or ())
    deltas, done = [], ""
    for event in create(file=file, model="whisper-1", stream=True):
        if event.type == "transcript.text.delta":
            deltas.append(event.delta)
        elif event.type == "transcript.text.done":
            done = event.text
    found["sdk stream"], found["sdk deltas"] = done, "".join(deltas)
    with warnings.catch_warnings():
        # Newer clients advise against an endpoint that others still use.
        warnings.simplefilter("ignore", DeprecationWarning)
        found["sdk translation"] = sdk.audio.translations.create(file=file, model="whisper-1").text

    assert {name: text for name, text in found.items() if text != expected} == {}


async def native(stack: Stack) -> str:
    """The native stream, by the `websockets` client."""
    url = stack.info.gateway_url.replace("http", "ws", 1) + STREAM
    headers = {"Authorization": f"Bearer {admin_key(stack)}"}
    heard = await recite(url, headers, encoded(RECORDING.samples()), interim=False)
    return heard.text


async def socket_io(stack: Stack, dialect: str) -> str:
    """An event set of Socket.IO, by the `python-socketio` client."""
    finals: list[str] = []
    ready, ended = asyncio.Event(), asyncio.Event()
    client = socketio.AsyncClient(reconnection=False)
    client.on("ready", lambda *_: ready.set())
    client.on("terminate", lambda *_: ended.set())

    def heard(answer: Any, state: Any = None) -> None:
        if dialect == "ai4i" and answer["isFinal"]:
            finals.append(answer["transcript"])
        if dialect == "dhruva" and not state["isIntermediateResult"]:
            finals.append(answer[0]["output"][0]["source"])

    client.on("response", heard)
    place = f"{stack.info.gateway_url}?apiKey={admin_key(stack)}&language=en&samplingRate=16000"
    await client.connect(place, transports=["websocket"], wait_timeout=10)
    audio = encoded(RECORDING.samples())
    parts = [audio[first : first + 32_000] for first in range(0, len(audio), 32_000)]
    config = {"language": {"sourceLanguage": "en"}, "samplingRate": 16_000}
    async with asyncio.timeout(60):
        if dialect == "ai4i":
            await client.emit("start", {})
            await ready.wait()
            for part in parts:
                await client.emit("data", (part, True, False))
            await client.emit("data", (None, True, True))
        else:
            await client.emit("start", ([{"taskType": "asr", "config": config}], {}))
            await ready.wait()
            for part in parts:
                brought = {"audio": [{"audioContent": part}]}
                await client.emit("data", (brought, {}, False, False))
            await client.emit("data", (None, {}, True, True))
        await ended.wait()
    await client.disconnect()
    return " ".join(finals)


async def javascript(stack: Stack, pcm: Path, dialect: str, transport: str) -> str:
    """An event set of Socket.IO, by the npm package `socket.io-client`."""
    process = await asyncio.create_subprocess_exec(
        ROOT / ".unleash" / "bin" / "node",
        ROOT / "tests" / "support" / "javascript" / "recite.mjs",
        *(stack.info.gateway_url, admin_key(stack), pcm, dialect, transport),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return " ".join(json.loads(output))


async def test_one_text_in_every_live_dialect(
    stack: Stack, client: httpx.Client, tmp_path: Path
) -> None:
    expected = upload(client)["source"]
    pcm = tmp_path / "speech.pcm"
    pcm.write_bytes(encoded(RECORDING.samples()))
    found = {
        "websockets": await native(stack),
        "python-socketio, ai4i": await socket_io(stack, "ai4i"),
        "python-socketio, Dhruva": await socket_io(stack, "dhruva"),
        "socket.io-client, ai4i": await javascript(stack, pcm, "ai4i", "websocket"),
        "socket.io-client, Dhruva": await javascript(stack, pcm, "dhruva", "polling"),
    }
    assert {name: text for name, text in found.items() if text != expected} == {}


def test_speakers_of_the_openai_dialect(sdk: openai.OpenAI) -> None:
    found = sdk.audio.transcriptions.create(
        file=RECORDING.path,
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy="auto",
    )
    assert {segment.speaker for segment in found.segments} == {"A"}
    assert " ".join(segment.text for segment in found.segments) == found.text


def test_models(sdk: openai.OpenAI) -> None:
    names = {model.id for model in sdk.models.list()}
    assert {"asr", "whisper-1"} <= names
    assert sdk.models.retrieve("whisper-1").owned_by == "speechgate"


def test_the_sdk_knows_the_refusals(stack: Stack, sdk: openai.OpenAI) -> None:
    with sdk_of(stack, "sk-nonsense") as stranger, pytest.raises(openai.AuthenticationError):
        stranger.models.list()
    with pytest.raises(openai.NotFoundError) as unknown:
        sdk.audio.transcriptions.create(file=RECORDING.path, model="whisper-9")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.audio.transcriptions.create(file=b"no audio", model="whisper-1")
    assert refused.value.code == "not_audio"
    small = make_key(stack, "--name", "small", "--scope", "*", "--per-minute", "1")
    with sdk_of(stack, small["key"]) as limited:
        limited.models.list()
        with pytest.raises(openai.RateLimitError) as full:
            limited.models.list()
    assert full.value.code == "rate_limit_exceeded"
    assert int(full.value.response.headers["retry-after"]) >= 1
