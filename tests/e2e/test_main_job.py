"""Speech, translation and synthesis through the gateway, on both stacks."""

import asyncio
import base64
import io
from typing import Any

import httpx
import jiwer
import numpy as np
import pytest
import soundfile
import soxr
from sqlalchemy import text

from deploy.local.stack import Stack
from shared.db.engine import create_engine
from tests.e2e.conftest import admin_key, client_of, make_key
from tests.support.badaudio import asr_document, encoded
from tests.support.recordings import EngineAlone, Recording, recordings


def transcribe(client: httpx.Client, recording: Recording) -> dict[str, Any]:
    with recording.path.open("rb") as file:
        answer = client.post(
            "/api/v1/asr/transcribe", files={"file": file}, data={"language": "en"}
        )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def rows(url: str, statement: str, **values: str) -> list[dict[str, Any]]:
    engine = create_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            found = await connection.execute(text(statement), values)
            return [dict(row) for row in found.mappings()]
    finally:
        await engine.dispose()


def test_no_accuracy_is_lost(client: httpx.Client, engine_alone: EngineAlone) -> None:
    """The five recordings: the platform's WER is that of the engine on the same segments."""
    references, through, alone = [], [], []
    for recording in recordings():
        (output,) = transcribe(client, recording)["output"]
        spans = [(segment["start"], segment["end"]) for segment in output["segments"]]
        texts, _ = engine_alone.transcribe(recording.path, spans)
        references.append(recording.reference)
        through.append(output["source"])
        alone.append(" ".join(part for part in texts if part))
    platform, engine = jiwer.wer(references, through), jiwer.wer(references, alone)
    assert abs(platform - engine) <= 0.02
    assert platform <= 0.30, "this is real speech, really recognized"


def test_words_have_times_and_confidences(client: httpx.Client) -> None:
    recording = recordings()[3]
    (output,) = transcribe(client, recording)["output"]
    words = output["words"]
    assert " ".join(word["word"] for word in words) == output["source"]
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[0] >= 0
    assert (
        times[-1]
        <= output["duration"]
        == pytest.approx(len(recording.samples()) / 16_000, abs=0.01)
    )
    assert all(0 < word["confidence"] <= 1 for word in words)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_formats_and_rates(client: httpx.Client, kind: str) -> None:
    """44.1 kHz stereo in any container is recognized like the original."""
    recording = recordings()[4]
    expected = transcribe(client, recording)["output"][0]["source"]
    stereo = np.repeat(soxr.resample(recording.samples(), 16_000, 44_100)[:, None], 2, axis=1)
    document = asr_document(encoded(stereo, 44_100, kind), kind=kind.lower())
    answer = client.post("/api/v1/asr/inference", json=document)
    assert answer.status_code == 200, answer.text
    assert jiwer.wer(expected, answer.json()["output"][0]["source"]) <= 0.25


def test_rows_are_there_when_the_answer_is(stack: Stack, client: httpx.Client) -> None:
    answer = transcribe(client, recordings()[4])
    url = stack.info.databases["asr"]
    (request,) = asyncio.run(
        rows(url, "SELECT * FROM asr_requests WHERE id = :id", id=answer["id"])
    )
    assert request["status"] == "succeeded"
    results = asyncio.run(
        rows(url, "SELECT * FROM asr_results WHERE request_id = :id", id=answer["id"])
    )
    assert len(results) == 1
    assert answer["output"][0]["source"] in str(results[0])
    stored = client.get(f"/api/v1/asr/requests/{answer['id']}")
    assert stored.status_code == 200
    assert answer["output"][0]["source"] in stored.text


def test_another_tenant_sees_nothing(stack: Stack, client: httpx.Client) -> None:
    answer = transcribe(client, recordings()[4])
    stranger = make_key(stack, "--name", "stranger", "--scope", "*", "--tenant", "strangers")
    with client_of(stack, stranger["key"]) as other:
        theirs = other.get(f"/api/v1/asr/requests/{answer['id']}")
        missing = other.get(f"/api/v1/asr/requests/{'0' * 32}")
    assert theirs.status_code == missing.status_code == 404
    assert theirs.json()["code"] == missing.json()["code"]
    assert theirs.json()["detail"] == missing.json()["detail"]


def test_translation(stack: Stack, client: httpx.Client) -> None:
    document = {
        "input": [
            {"source": "The house is big."},
            {"source": "The cat drinks water.\nThe dog sleeps."},
        ],
        "config": {"language": {"sourceLanguage": "en", "targetLanguage": "es"}},
    }
    answer = client.post("/api/v1/nmt/inference", json=document)
    assert answer.status_code == 200, answer.text
    first, second = (item["target"].lower() for item in answer.json()["output"])
    assert "casa" in first
    assert "gato" in second.split("\n")[0]
    assert "perro" in second.split("\n")[1]
    found = asyncio.run(
        rows(
            stack.info.databases["nlp"],
            "SELECT * FROM nmt_results WHERE request_id = :id",
            id=answer.json()["id"],
        )
    )
    assert len(found) == 2


@pytest.mark.parametrize(
    ("kind", "container"),
    [("wav", "WAV"), ("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3")],
)
def test_synthesis(client: httpx.Client, kind: str, container: str) -> None:
    document = {
        "input": [{"source": "The weather is fine today."}],
        "config": {
            "language": {"sourceLanguage": "en"},
            "gender": "female",
            "audioFormat": kind,
            "samplingRate": 16_000,
        },
    }
    answer = client.post("/api/v1/tts/inference", json=document)
    assert answer.status_code == 200, answer.text
    audio = base64.b64decode(answer.json()["audio"][0]["audioContent"])
    with soundfile.SoundFile(io.BytesIO(audio)) as file:
        assert (file.format, file.samplerate, file.channels) == (container, 16_000, 1)
        assert 0.8 < file.frames / 16_000 < 6
        assert np.abs(file.read()).max() > 0.05


def test_what_is_spoken_is_understood(client: httpx.Client) -> None:
    """Synthesis → recognition round trip of both engines."""
    said = "i would like to have a cup of coffee and some bread please"
    config = {"language": {"sourceLanguage": "en"}, "gender": "female", "audioFormat": "wav"}
    spoken = client.post(
        "/api/v1/tts/inference", json={"input": [{"source": said}], "config": config}
    )
    audio = base64.b64decode(spoken.json()["audio"][0]["audioContent"])
    heard = client.post("/api/v1/asr/inference", json=asr_document(audio)).json()["output"][0][
        "source"
    ]
    assert jiwer.wer(said, heard) <= 0.4, heard


def test_sentiment_and_language(client: httpx.Client) -> None:
    language = {"language": {"sourceLanguage": "en"}}
    answer = client.post(
        "/api/v1/nlp/sentiment/inference",
        json={
            "input": [{"source": "I love it!"}, {"source": "This is terrible."}],
            "config": language,
        },
    )
    assert answer.status_code == 200, answer.text
    labels = [item["sentiment"]["label"] for item in answer.json()["output"]]
    assert labels == ["positive", "negative"]
    answer = client.post(
        "/api/v1/nlp/language-detection/inference",
        json={"input": [{"source": "¿Dónde está la biblioteca de la ciudad?"}]},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["output"][0]["langPrediction"][0]["langCode"] == "es"


def test_headers_of_an_answer(client: httpx.Client) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = client.get(
        "/api/v1/asr/languages", headers={"X-Request-ID": "mine-1", "traceparent": parent}
    )
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["traceparent"].split("-")[1] == parent.split("-")[1]
    assert "q=" in answer.headers["ratelimit-policy"]
    assert "r=" in answer.headers["ratelimit"]


def test_one_page_documents_every_service(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for path in (
        "/api/v1/asr/inference",
        "/api/v1/asr/transcribe",
        "/api/v1/tts/inference",
        "/api/v1/nmt/inference",
        "/api/v1/nlp/sentiment/inference",
    ):
        assert "post" in document["paths"][path]
    assert client.get("/docs").status_code == 200


def test_a_service_answers_nobody_but_the_gateway(stack: Stack) -> None:
    key = {"Authorization": f"Bearer {admin_key(stack)}"}
    for urls in stack.info.services.values():
        for url in urls:
            for headers in ({}, key, {"X-SG-Identity": "a.b.c"}):
                for path in ("/api/v1/asr/inference", "/openapi.json", "/anything"):
                    answer = httpx.post(url + path, headers=headers, json={})
                    assert answer.status_code == 401
            assert httpx.get(url + "/health").status_code == 200
