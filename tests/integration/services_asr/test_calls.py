"""Calls: transcripts with speakers and encrypted recordings, on the real models and databases."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import numpy as np
import pytest
import soundfile

from services.asr.services.recording_audio import pieces_in
from tests.support.recordings import recordings
from tests.support.voices import Conversation, Voice, converse
from tests.support.wav import wav_bytes

CALLS = "/api/v1/asr/calls"
SCOPES = ("calls:read", "calls:write")


@pytest.fixture(scope="module")
def talk(voices: dict[str, Voice]) -> Conversation:
    whole = converse([voices["reader"], voices["commands"]], 3, seconds=12)
    return Conversation(whole.name, whole.pcm[: 14 * 16_000], whole.turns)


@pytest.fixture(scope="module")
def kept(make_service: Callable[..., Any], key_file: Path) -> Any:
    """A service with a key; what depends on the database is shown on both kinds elsewhere."""
    return make_service(data_key_file=key_file)


@pytest.fixture
def mine(kept: Any, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of a tenant of its own, that may work with calls and nothing else."""
    with kept.client_of(*SCOPES, tenant=f"c-{crc32(request.node.name.encode())}") as made:
        yield made


@pytest.fixture(scope="module")
def bare(make_service: Callable[..., Any]) -> Any:
    """A service without a model of voices, and without a key."""
    return make_service(speaker_model="absent")


def transcribed(client: httpx.Client, content: bytes, **fields: str) -> dict[str, Any]:
    answer = client.post(CALLS, files={"file": ("a.wav", content)}, data=fields)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def replayed(client: httpx.Client, call_id: str, spoken: bytes, **query: Any) -> httpx.Response:
    wanted = {"start": 1.0, "end": 3.0, **query}
    return client.post(f"{CALLS}/{call_id}/replay", params=wanted, content=spoken)


def _where(table: str, column: str, value: str) -> str:
    return f"SELECT * FROM {table} WHERE {column} = '{value}'"  # noqa: S608 - names of our own


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    return samples, rate


def test_a_call_is_heard_kept_replayed_and_forgotten(
    kept: Any, mine: httpx.Client, talk: Conversation, rows: Any
) -> None:
    fields = {"title": " First call ", "agent_name": "Ann", "first_speaker": "agent"}
    call = transcribed(mine, wav_bytes(talk.pcm), num_speakers="2", **fields)

    assert call["degraded"] == []
    transcript = call["transcript"]
    assert {one["speaker"] for one in transcript["segments"]} == {"SPEAKER_00", "SPEAKER_01"}
    assert transcript["words"] is None
    assert call["metadata"]["title"] == "First call"
    assert call["recording"]["seconds"] == pytest.approx(len(talk.pcm) / 16_000, abs=0.01)
    stored = mine.get(f"{CALLS}/{call['id']}").json()
    assert stored["transcript"] == transcript
    assert stored["recording"] == call["recording"]
    with_words = mine.get(f"{CALLS}/{call['id']}", params={"words": "true"}).json()["transcript"]
    assert " ".join(word["word"] for word in with_words["words"]) == transcript["text"]

    advice = recordings()[4].samples()
    heard, rate = samples_of(replayed(mine, call["id"], wav_bytes(advice)).content)
    assert rate == 16_000
    assert len(heard) == len(advice) + 8_000 + 2 * 16_000
    clip = talk.pcm[16_000:48_000] / 32_768
    assert np.corrcoef(heard[-32_000:], clip)[0, 1] > 0.9
    assert not heard[len(advice) : len(advice) + 8_000].any()

    url = kept.settings.database_url
    parts = rows(url, _where("asr_recording_chunks", "recording_id", call["id"]))
    assert len(parts) == pieces_in(len(talk.pcm)) > 1
    assert not any(b"OggS" in bytes(row["ciphertext"]) for row in parts)

    assert mine.delete(f"{CALLS}/{call['id']}").status_code == 204
    for table, column in (
        ("asr_requests", "id"),
        ("asr_results", "request_id"),
        ("asr_recordings", "id"),
        ("asr_recording_chunks", "recording_id"),
    ):
        assert rows(url, _where(table, column, call["id"])) == [], table
    refused(mine.get(f"{CALLS}/{call['id']}"), 404, "request_not_found")
    refused(mine.delete(f"{CALLS}/{call['id']}"), 404, "request_not_found")
    refused(replayed(mine, call["id"], wav_bytes(advice)), 404, "recording_not_found")


def test_each_channel_is_a_speaker(mine: httpx.Client, voices: dict[str, Voice]) -> None:
    left, right = voices["reader"].pcm()[:48_000], voices["cards"].pcm()[:48_000]
    silence = np.zeros(48_000, np.int16)
    stereo = np.stack([np.concatenate([left, silence]), np.concatenate([silence, right])], axis=1)
    file = io.BytesIO()
    soundfile.write(file, stereo, 16_000, format="WAV")
    call = transcribed(mine, file.getvalue(), channels="separate", agent_channel="1")
    for found in (call, mine.get(f"{CALLS}/{call['id']}").json()):
        segments = found["transcript"]["segments"]
        assert {(one["channel"], one["speaker"]) for one in segments} == {
            (0, "SPEAKER_00"),
            (1, "SPEAKER_01"),
        }
        assert [one["speaker"] for one in found["transcript"]["speakers"]] == [
            "SPEAKER_00",
            "SPEAKER_01",
        ]


def test_a_document_is_the_same_call(mine: httpx.Client, short: bytes) -> None:
    form = transcribed(mine, short, words="true")
    body = {"audioContent": base64.b64encode(short).decode(), "words": True, "title": "x"}
    document = mine.post(f"{CALLS}/inference", json=body).json()
    assert document["transcript"] == form["transcript"]
    assert document["metadata"]["title"] == "x"
    assert len(form["transcript"]["words"]) > 3


def test_what_may_not_be_stored_is_not(mine: httpx.Client, short: bytes) -> None:
    call = transcribed(mine, short, data_tracking="false")
    assert (call["recording"], call["degraded"], call["data_tracking"]) == (None, [], False)
    assert call["transcript"]["text"]
    stored = mine.get(f"{CALLS}/{call['id']}").json()
    assert (stored["transcript"], stored["recording"]) == (None, None)
    unkept = transcribed(mine, short, keep_recording="false")
    assert (unkept["recording"], unkept["degraded"]) == (None, [])
    refused(replayed(mine, unkept["id"], short), 404, "recording_not_found")


def test_without_voices_and_without_a_key_the_transcript_arrives(
    bare: Any, talk: Conversation
) -> None:
    call = transcribed(bare.client, wav_bytes(talk.pcm))
    assert call["transcript"]["text"]
    assert call["transcript"]["speakers"] is None
    assert {one["speaker"] for one in call["transcript"]["segments"]} == {None}
    reasons = {one["step"]: one["reason"] for one in call["degraded"]}
    assert reasons == {"diarization": "model_unavailable", "recording": "encryption_unconfigured"}
    assert call["recording"] is None
    # Who insists on speakers is told that there are none.
    strict = bare.client.post(
        "/api/v1/asr/transcribe",
        files={"file": ("a.wav", wav_bytes(talk.pcm))},
        data={"diarize": "true"},
    )
    refused(strict, 503, "model_unavailable")


BAD_REPLAYS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"start": 3.0, "end": 3.0}, "empty_span"),
    ({"start": 900.0, "end": 901.0}, "empty_span"),
    ({"start": -1.0}, "validation_failed"),
    ({"end": "nan"}, "validation_failed"),
    ({"end": "inf"}, "validation_failed"),
    ({"pause": 6.0}, "validation_failed"),
    ({"audio_format": "exe"}, "validation_failed"),
    ({"sampling_rate": 1}, "validation_failed"),
)


def test_bad_calls(kept: Any, mine: httpx.Client, short: bytes) -> None:
    call = transcribed(mine, short)
    for query, code in BAD_REPLAYS:
        refused(replayed(mine, call["id"], short, **query), 422, code)
    with kept.client_of(*SCOPES, tenant="stranger") as stranger:
        for answer, code in (
            (stranger.get(f"{CALLS}/{call['id']}"), "request_not_found"),
            (stranger.delete(f"{CALLS}/{call['id']}"), "request_not_found"),
            (replayed(stranger, call["id"], short), "recording_not_found"),
        ):
            refused(answer, 404, code)
    refused(replayed(mine, call["id"], b"no audio"), 422, "not_audio")
    refused(replayed(mine, call["id"], b""), 422, "empty_audio")
    refused(mine.post(CALLS, files={"file": ("a", b"no audio")}), 422, "not_audio")
    refused(mine.post(CALLS, files={"other": ("a", short)}), 422, "validation_failed")
    refused(mine.post(CALLS, data={"title": "x"}), 415, "unsupported_media_type")
    both = {"channels": "separate", "num_speakers": "2"}
    refused(mine.post(CALLS, files={"file": short}, data=both), 422, "validation_failed")
    body = {"audioContent": "???"}
    refused(mine.post(f"{CALLS}/inference", json=body), 422, "not_base64")
    with kept.client_of("asr:infer", "asr:read", tenant="rights") as client:
        refused(client.post(CALLS, files={"file": short}), 403, "scope_missing")
        refused(client.get(f"{CALLS}/{'0' * 32}"), 403, "scope_missing")
        refused(client.delete(f"{CALLS}/{'0' * 32}"), 403, "scope_missing")
