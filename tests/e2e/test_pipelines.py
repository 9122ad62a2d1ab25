"""Pipelines on the real stack: a recording in, speech in another language out."""

import asyncio
import base64
import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from websockets.asyncio.client import connect

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key, client_of, make_key
from tests.support.poll import eventually
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.streaming import encoded

# What answers is the same with either stack; this one has a real database and real limits.
pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
NATIVE, ULCA = "/api/v1/pipeline/inference", "/services/inference/pipeline"
RECORDING = min(recordings(), key=lambda one: one.path.stat().st_size)
CONTENT = base64.b64encode(RECORDING.path.read_bytes()).decode()
TASKS: list[dict[str, Any]] = [
    {"taskType": "asr", "config": {"language": {"sourceLanguage": "en"}}},
    {
        "taskType": "translation",
        "config": {"language": {"sourceLanguage": "en", "targetLanguage": "es"}},
    },
    {
        "taskType": "tts",
        "config": {"language": {"sourceLanguage": "es"}, "gender": "female", "audioFormat": "wav"},
    },
]


def pipeline(*tasks: dict[str, Any], content: str = CONTENT) -> dict[str, Any]:
    audio = {"audio": [{"audioContent": content}]}
    return {"pipelineTasks": list(tasks or TASKS), "inputData": audio}


def heard_in(content: str) -> tuple[float, float]:
    """Seconds of a sound, and how loud it is (0 to 1)."""
    with soundfile.SoundFile(io.BytesIO(base64.b64decode(content))) as file:
        samples = file.read()
        return file.frames / file.samplerate, float(np.abs(samples).max())


def one_by_one(client: httpx.Client) -> tuple[str, str]:
    """Transcript and translation by the tasks' own routes."""
    asr = {"audio": [{"audioContent": CONTENT}], "config": TASKS[0]["config"]}
    said = client.post("/api/v1/asr/inference", json=asr).json()["output"][0]["source"]
    nmt = {"input": [{"source": said}], "config": TASKS[1]["config"]}
    return said, client.post("/api/v1/nmt/inference", json=nmt).json()["output"][0]["target"]


def test_speech_to_speech_in_one_request(stack: Stack, client: httpx.Client) -> None:
    said, translated = one_by_one(client)
    answer = client.post(NATIVE, json=pipeline())
    assert answer.status_code == 200, answer.text
    heard, translation, spoken = answer.json()["pipelineResponse"]
    assert heard["output"][0]["source"] == said
    assert len(said.split()) > 3
    assert translation["output"][0] == {"source": said, "target": translated}
    assert translated != said
    seconds, loudest = heard_in(spoken["audio"][0]["audioContent"])
    assert 1 < seconds < 60
    assert loudest > 0.05
    steps = answer.json()["steps"]
    assert [one["task"] for one in steps] == ["asr", "translation", "tts"]
    for step, route in zip(steps, ("asr", "nmt", "tts"), strict=True):
        stored = client.get(f"/api/v1/{route}/requests/{step['id']}")
        assert stored.status_code == 200, "each step is kept as its own request"
        assert step["request_id"] in stored.text

    ulca = client.post(ULCA, json=pipeline(), headers={"Authorization": admin_key(stack)})
    assert ulca.status_code == 200, ulca.text
    tasks = ulca.json()["pipelineResponse"]
    assert tasks[0]["output"] == [{"source": said}]
    assert tasks[1]["output"] == [{"source": said, "target": translated}]
    assert heard_in(tasks[2]["audio"][0]["audioContent"])[0] == pytest.approx(seconds, rel=0.2)


def test_one_trace_through_every_process(stack: Stack, client: httpx.Client) -> None:
    trace = "7a3ce929d0e0e47364bf92f3577b34da"
    given = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    assert client.post(NATIVE, json=pipeline(), headers=given).status_code == 200

    def lines(name: str, event: str) -> list[dict[str, Any]]:
        logs = Path(stack.info.log_dir).glob(f"{name}*.log")
        written = "".join(path.read_text() for path in logs).splitlines()
        found = [json.loads(line) for line in written if trace in line]
        return [one for one in found if one["event"] == event and one["trace_id"] == trace]

    async def everywhere() -> None:
        await eventually(lambda: all(lines(name, "request") for name in names), timeout_s=10)

    names = ("gateway", "asr", "nlp", "tts")
    asyncio.run(everywhere())
    (request,) = lines("gateway", "request")
    assert {one["request_id"] for name in names for one in lines(name, "request")} == {
        request["request_id"]
    }
    steps = lines("gateway", "step")
    assert [one["route"].split("/")[3] for one in steps] == ["asr", "nmt", "tts"]
    assert len({one["span_id"] for one in steps}) == 3
    assert len({one["parent_id"] for one in steps}) == 1


def test_text_to_speech_and_other_chains(client: httpx.Client) -> None:
    texts = [{"source": "The house is big."}, {"source": "Good morning."}]
    document = {"pipelineTasks": TASKS[1:], "inputData": {"input": texts}}
    answer = client.post(NATIVE, json=document)
    assert answer.status_code == 200, answer.text
    translation, spoken = answer.json()["pipelineResponse"]
    assert "casa" in translation["output"][0]["target"].lower()
    assert len(spoken["audio"]) == 2
    assert all(heard_in(one["audioContent"])[1] > 0.05 for one in spoken["audio"])
    spelling = {"language": {"sourceLanguage": "en", "targetLanguage": "hi"}, "isSentence": True}
    document = {
        "pipelineTasks": [{"taskType": "transliteration", "config": spelling}, {"taskType": "tts"}],
        "inputData": {"input": [{"source": "namaste duniya"}]},
    }
    answer = client.post(NATIVE, json=document)
    assert answer.status_code == 200, answer.text
    spelled, spoken = answer.json()["pipelineResponse"]
    assert "नमस्ते" in spelled["output"][0]["target"][0]
    assert spoken["config"]["language"]["sourceLanguage"] == "hi"
    assert heard_in(spoken["audio"][0]["audioContent"])[1] > 0.05
    single = client.post(ULCA, json=pipeline(TASKS[0]))
    assert single.status_code == 200
    assert single.json()["pipelineResponse"][0]["output"][0]["source"]


def test_what_is_refused(stack: Stack, client: httpx.Client) -> None:
    wrong = client.post(ULCA, json=pipeline(TASKS[0], TASKS[2]))
    assert (wrong.status_code, wrong.json()["detail"]["kind"]) == (400, "illegal_pipeline")
    wrong = client.post(NATIVE, json=pipeline(TASKS[0], TASKS[2]))
    assert (wrong.status_code, wrong.json()["code"]) == (400, "illegal_pipeline")
    noise = client.post(NATIVE, json=pipeline(content="!" * 20_000))
    assert (noise.status_code, noise.json()["code"]) == (422, "not_base64")
    pointer = noise.json()["errors"][0]["pointer"]
    assert pointer == "/inputData/audio/0/audioContent"
    control = client.post(
        NATIVE,
        content=json.dumps(pipeline(content="A" * 20_000)).replace("A" * 20_000, "A\x01" * 10_000),
    )
    assert (control.status_code, control.json()["code"]) == (400, "invalid_json")
    narrow = make_key(stack, "--name", "no-tts", "--scope", "asr:infer", "--scope", "nlp:infer")
    with client_of(stack, narrow["key"]) as limited:
        assert limited.post(NATIVE, json=pipeline()).status_code == 403
        assert limited.post(NATIVE, json=pipeline(*TASKS[:2])).status_code == 200
    with client_of(stack, "") as nobody:
        assert nobody.post(NATIVE, json=pipeline()).status_code == 401
    large = client.post(NATIVE, json=pipeline(content="A" * (33 * 1024 * 1024)))
    assert large.status_code == 413


@pytest.fixture
def without_nlp(stack: Stack) -> Iterator[None]:
    names = [name for name in stack.info.pids if name.startswith("nlp")]
    for name in names:
        stack.pause_restart(name)
        stack.kill(name, signal.SIGKILL)
    yield
    for name in names:
        stack.restart(name)


@pytest.mark.usefixtures("without_nlp")
def test_what_was_recognized_survives_an_outage_of_translation(client: httpx.Client) -> None:
    native = client.post(NATIVE, json=pipeline())
    assert native.status_code == 207, native.text
    (heard,) = native.json()["pipelineResponse"]
    assert heard["output"][0]["source"]
    error = native.json()["error"]
    assert (error["step"], error["task"], error["status"]) == (1, "translation", 503)
    ulca = client.post(ULCA, json=pipeline())
    assert ulca.status_code == 503
    assert set(ulca.json()) == {"detail", "pipelineResponse"}
    assert ulca.json()["pipelineResponse"][0]["output"] == [
        {"source": heard["output"][0]["source"]}
    ]


async def test_speech_to_speech_while_it_is_spoken(stack: Stack) -> None:
    url = stack.info.gateway_url.replace("http", "ws") + "/api/v1/pipeline/stream"
    headers = {"Authorization": f"Bearer {admin_key(stack)}"}
    pcm = np.concatenate([RECORDING.samples(), np.zeros(SAMPLE_RATE, np.int16)])
    data, told = encoded(pcm), list[Any]()
    async with connect(url, additional_headers=headers, max_size=2**24) as socket:
        start = {"type": "start", "source_language": "en", "target_language": "es"}
        await socket.send(json.dumps(start))
        for at in range(0, len(data), 32_000):
            await socket.send(data[at : at + 32_000])
        await socket.send('{"type":"stop"}')
        async with asyncio.timeout(60):
            async for message in socket:
                told.append(message if isinstance(message, bytes) else json.loads(message))
        assert socket.close_code == 1000
    events = [one for one in told if not isinstance(one, bytes)]
    finals = [one for one in events if one["type"] == "final" and one["text"]]
    translations = [one for one in events if one["type"] == "translation"]
    sounds = [one for one in events if one["type"] == "audio"]
    assert len(finals) == len(translations) == len(sounds) >= 1
    assert [one["segment"] for one in sounds] == list(range(len(finals)))
    assert events[-1]["type"] == "done"
    assert events[-1]["segments_failed"] == 0
    whole = b"".join(one for one in told if isinstance(one, bytes))
    assert len(whole) == sum(one["bytes"] for one in sounds)
    first = base64.b64encode(whole[: sounds[0]["bytes"]]).decode()
    seconds, loudest = heard_in(first)
    assert seconds == pytest.approx(sounds[0]["duration"], abs=0.05)
    assert loudest > 0.05
