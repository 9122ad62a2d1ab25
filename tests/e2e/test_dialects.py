"""Every dialect and format of the ASR service says the same of the same file."""

import base64
import csv
import io
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
import srt
import webvtt

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key, client_of, make_key
from tests.support.recordings import recordings

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
