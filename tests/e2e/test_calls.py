"""Calls through the gateway on the full stack: whole, without a service, and forgotten."""

import asyncio
import io
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key
from tests.e2e.test_main_job import rows
from tests.support import badaudio
from tests.support.voices import Conversation, Voice, converse, real_voices
from tests.support.wav import wav_bytes

pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
CALLS = "/api/v1/calls"
SCOPES = ("--scope", "calls:read", "--scope", "calls:write")


@pytest.fixture(scope="module")
def voices() -> dict[str, Voice]:
    return {voice.name: voice for voice in real_voices()}


@pytest.fixture(scope="module")
def talk(voices: dict[str, Voice]) -> Conversation:
    """Two people in turn."""
    whole = converse([voices["reader"], voices["commands"]], 3, seconds=12)
    return Conversation(whole.name, whole.pcm[: 14 * 16_000], whole.turns)


@pytest.fixture(scope="module")
def mine(stack: Stack) -> Iterator[httpx.Client]:
    """A client that may work with calls and nothing else."""
    made = make_key(stack, "--name", "calls", *SCOPES, "--per-minute", "100000")
    with client_of(stack, made["key"]) as client:
        yield client


def upload(
    client: httpx.Client, content: bytes, path: str = f"{CALLS}/transcribe", **fields: str
) -> httpx.Response:
    return client.post(path, files={"file": ("call.wav", content)}, data=fields)


def analyzed(client: httpx.Client, content: bytes, **fields: str) -> dict[str, Any]:
    answer = upload(client, content, **fields)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


@contextmanager
def stopped(stack: Stack, name: str, client: httpx.Client, probe: str) -> Iterator[None]:
    """Without a service's process, which is back, and known to be, at the end of the block."""
    stack.kill(name, signal.SIGKILL, supervise=False)
    try:
        yield
    finally:
        stack.restart(name)
        deadline = time.monotonic() + 30
        while client.get(probe).status_code == 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_conversation_is_analyzed_read_replayed_and_deleted(
    stack: Stack, mine: httpx.Client, talk: Conversation
) -> None:
    # "Go forward", says the customer, and nobody takes it up.
    fields = {"title": "Demo", "external_id": "crm-7", "first_speaker": "customer"}
    call = analyzed(mine, wav_bytes(talk.pcm), num_speakers="2", **fields)

    assert (call["status"], call["degraded"]) == ("complete", []), call["degraded"]
    segments = call["transcript"]["segments"]
    assert {one["speaker"] for one in segments} == {"SPEAKER_00", "SPEAKER_01"}
    assert all(-1 <= one["sentiment"]["score"] <= 1 for one in segments)
    assert {one["role"] for one in call["transcript"]["speakers"]} == {"agent", "customer"}
    assert call["sentiment"]["label"] in {"positive", "neutral", "negative"}
    assert call["metrics"]["speakers"]
    moment = call["moments"][0]
    assert moment["advice"]
    assert moment["quote"] in segments[moment["segment"]]["text"]
    assert (call["title"], call["external_id"]) == ("Demo", "crm-7")

    path = f"{CALLS}/{call['call_id']}"
    again = mine.get(path).json()
    assert {**again, "timings": None} == {**call, "timings": None}
    assert mine.get(CALLS).json()["items"][0]["call_id"] == call["call_id"]

    spoken = mine.post(f"{path}/replay", json={"sampling_rate": 16_000})
    assert spoken.headers["content-type"] == "audio/wav"
    advice, _ = soundfile.read(io.BytesIO(spoken.content), dtype="float32")
    assert len(advice) > 16_000
    wish = {"call_id": call["call_id"], "include_clip": True, "clip_seconds": 2.0, "pause": 1.0}
    both = mine.post("/replay", json={**wish, "format": "flac"})
    assert (both.headers["content-type"], both.headers.get("x-degraded")) == ("audio/flac", None)
    heard, rate = soundfile.read(io.BytesIO(both.content), dtype="float32")
    first = round(moment["start"] * 16_000)
    length = min(32_000, round(moment["end"] * 16_000) - first)
    clip = talk.pcm[first : first + length] / 32_768
    assert rate == 16_000
    assert len(heard) == pytest.approx(len(advice) + 16_000 + length, abs=800)
    assert np.corrcoef(heard[-length:], clip)[0, 1] > 0.9
    for kind in ("mp3", "opus", "ogg", "wav"):
        content = mine.post("/replay", json={**wish, "format": kind}).content
        seconds = soundfile.info(io.BytesIO(content)).duration
        assert seconds == pytest.approx(len(heard) / rate, abs=0.2), kind

    references = (asyncio.run(_row(stack, call["call_id"])),)
    assert mine.delete(path).status_code == 204
    assert mine.get(path).json()["code"] == "call_not_found"
    for row in references:
        left = asyncio.run(_left(stack, row))
        assert left == dict.fromkeys(left, 0), left
    assert mine.post("/replay", json=wish).json()["code"] == "call_not_found"


async def _row(stack: Stack, call_id: str) -> dict[str, Any]:
    found = await rows(
        stack.info.databases["gateway"], "SELECT * FROM calls WHERE id = :id", id=call_id
    )
    assert "amiable" not in str(found), "references only"
    return found[0]


async def _left(stack: Stack, row: dict[str, Any]) -> dict[str, int]:
    """Rows that are left of a call, by table."""
    places = (
        ("gateway", "calls", "id", row["id"]),
        ("asr", "asr_requests", "id", row["asr_id"]),
        ("asr", "asr_results", "request_id", row["asr_id"]),
        ("asr", "asr_recordings", "id", row["recording_id"]),
        ("asr", "asr_recording_chunks", "recording_id", row["recording_id"]),
        ("nlp", "nlp_conversations", "id", row["analysis_id"]),
        ("nlp", "nlp_conversation_results", "request_id", row["analysis_id"]),
    )
    return {
        table: len(
            await rows(
                stack.info.databases[database],
                f"SELECT 1 FROM {table} WHERE {column} = :id",  # noqa: S608 - names of our own
                id=value,
            )
        )
        for database, table, column, value in places
    }


def test_a_telephone_call_of_two_channels(mine: httpx.Client, voices: dict[str, Voice]) -> None:
    left, right = voices["reader"].pcm()[:48_000], voices["cards"].pcm()[:48_000]
    silence = np.zeros(48_000, np.int16)
    stereo = np.stack([np.concatenate([left, silence]), np.concatenate([silence, right])], axis=1)
    call = analyzed(
        mine, badaudio.encoded(stereo, 16_000, "FLAC"), channels="separate", agent_channel="1"
    )
    assert call["degraded"] == []
    roles = {one["speaker"]: one["role"] for one in call["transcript"]["speakers"]}
    assert roles == {"SPEAKER_00": "customer", "SPEAKER_01": "agent"}
    assert {one["channel"] for one in call["transcript"]["segments"]} == {0, 1}


def test_without_the_nlp_service_the_transcript_arrives(
    stack: Stack, mine: httpx.Client, talk: Conversation
) -> None:
    content = wav_bytes(talk.pcm[: 4 * 16_000])
    whole = analyzed(mine, content, num_speakers="1")
    with client_of(stack) as admin, stopped(stack, "nlp", admin, "/api/v1/nmt/languages"):
        call = analyzed(mine, content, num_speakers="1")
        found = mine.get(f"{CALLS}/{whole['call_id']}").json()
        unheard = mine.post(f"{CALLS}/{whole['call_id']}/replay")
    assert [one["step"] for one in call["degraded"]] == ["analysis"]
    assert call["degraded"][0]["reason"] in {"upstream_unavailable", "upstream_broken"}
    assert call["transcript"]["text"] == whole["transcript"]["text"]
    assert (call["sentiment"], call["moments"]) == (None, None)
    assert call["recording"] is not None
    assert found["transcript"]["text"] == whole["transcript"]["text"]
    assert [one["step"] for one in found["degraded"]] == ["analysis"]
    assert unheard.status_code == 503
    # And as soon as it is back, nothing is missing of the call that was whole.
    again = mine.get(f"{CALLS}/{whole['call_id']}").json()
    assert (again["degraded"], again["moments"]) == ([], whole["moments"])


def test_without_the_tts_service_only_the_replay_is_missing(
    stack: Stack, mine: httpx.Client, talk: Conversation
) -> None:
    content = wav_bytes(talk.pcm[: 11 * 16_000])
    whole = analyzed(mine, content, num_speakers="2", first_speaker="customer")
    with client_of(stack) as admin, stopped(stack, "tts", admin, "/api/v1/tts/voices"):
        started = time.monotonic()
        refused = mine.post("/replay", json={"call_id": whole["call_id"]})
        assert time.monotonic() - started < 2
        call = analyzed(mine, wav_bytes(talk.pcm[: 4 * 16_000]))
        found = mine.get(f"{CALLS}/{whole['call_id']}")
        silent = admin.post("/speak", json={"text": "Hello."})
    assert (refused.status_code, refused.json()["code"]) == (503, "upstream_unavailable")
    assert "tts" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) >= 1
    assert (call["status"], found.status_code) == ("complete", 200)
    assert silent.status_code == 503
    assert mine.post("/replay", json={"call_id": whole["call_id"]}).status_code == 200


def test_another_tenants_call_is_not_there(
    stack: Stack, mine: httpx.Client, talk: Conversation
) -> None:
    call_id = analyzed(mine, wav_bytes(talk.pcm[: 3 * 16_000]))["call_id"]
    made = make_key(stack, "--name", "stranger", "--organization", "Strangers", *SCOPES)
    with client_of(stack, made["key"]) as stranger:
        told = [
            stranger.request(method, f"{CALLS}/{one}{more}")
            for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/replay"))
            for one in (call_id, "0" * 32)
        ]
        assert stranger.get(CALLS).json() == {"items": [], "next": None}
    assert {answer.status_code for answer in told} == {404}
    assert {answer.json()["code"] for answer in told} == {"call_not_found"}
    assert len({answer.json()["detail"] for answer in told}) == 1
    assert mine.get(f"{CALLS}/{call_id}").status_code == 200


def test_a_text_is_spoken(stack: Stack) -> None:
    made = make_key(stack, "--name", "speaker", "--scope", "tts:infer")
    with client_of(stack, made["key"]) as client:
        for path in ("/speak", "/api/v1/speak"):
            answer = client.post(path, json={"text": "Good morning.", "sampling_rate": 16_000})
            assert answer.headers["content-type"] == "audio/wav"
            samples, rate = soundfile.read(io.BytesIO(answer.content))
            assert (rate, len(samples) > 8_000) == (16_000, True)
        fast = {"text": "Good morning.", "format": "flac", "speed": 2.0, "language": "en"}
        quick = soundfile.info(io.BytesIO(client.post("/speak", json=fast).content)).duration
        assert quick < len(samples) / rate
        for body, code in (
            ({}, "validation_failed"),
            ({"text": ""}, "validation_failed"),
            ({"text": "a", "unknown": 1}, "validation_failed"),
            ({"text": "a", "speed": 9}, "validation_failed"),
            ({"text": "a", "format": "exe"}, "unsupported_audio_format"),
            ({"text": "a", "language": "xx"}, "unsupported_language"),
        ):
            refused = client.post("/speak", json=body)
            assert (refused.status_code, refused.json()["code"]) == (422, code), body
        assert client.get(CALLS).json()["code"] == "scope_missing"


@pytest.mark.parametrize(
    ("content", "fields", "status", "code"),
    [
        (b"no audio", {}, 422, "not_audio"),
        (b"", {}, 422, "empty_audio"),
        (badaudio.truncated_wav(), {}, 422, "audio_truncated"),
        (badaudio.speech_wav(), {"language": "xx"}, 422, "unsupported_language"),
        (badaudio.speech_wav(), {"num_speakers": "0"}, 422, "validation_failed"),
        (badaudio.speech_wav(), {"agent_channel": "0"}, 422, "validation_failed"),
        (badaudio.speech_wav(), {"channels": "three"}, 422, "validation_failed"),
        (badaudio.speech_wav(), {"title": "x" * 201}, 422, "validation_failed"),
        (badaudio.speech_wav(), {"unknown": "1"}, 422, "validation_failed"),
        (badaudio.speech_wav(), {"service_id": "none"}, 422, "unknown_model"),
    ],
)
def test_bad_calls(
    mine: httpx.Client, content: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    for path in ("/transcribe", f"{CALLS}/transcribe"):
        answer = upload(mine, content, path, **fields)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["instance"] == path
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_bad_bodies(mine: httpx.Client) -> None:
    form = {"content-type": "multipart/form-data; boundary=x"}
    for content, headers, status, code in (
        (b"{", {"content-type": "application/json"}, 400, "invalid_json"),
        (b"{}", {"content-type": "application/json"}, 422, "validation_failed"),
        (b'{"audioContent":"?"}', {"content-type": "application/json"}, 422, "not_base64"),
        (b'{"audioUri":"http://127.0.0.1/"}', {"content-type": "application/json"}, 422, None),
        (b"--x", form, 400, "bad_request"),
        (b"--x--", form, 422, "file_missing"),
        (b"", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
    ):
        answer = mine.post("/transcribe", content=content, headers=headers)
        assert answer.status_code == status, answer.text
        assert code is None or answer.json()["code"] == code, answer.text
