"""Speakers of recordings, on the real models."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.diarization_error import diarization_error
from tests.support.recordings import SAMPLE_RATE
from tests.support.voices import Conversation, converse, real_voices
from tests.support.wav import wav_bytes

DIARIZATION = "/api/v1/asr/diarization/inference"
TRANSCRIBE = "/api/v1/asr/transcribe"


@pytest.fixture(scope="module")
def talk() -> Conversation:
    """Two people, half a minute."""
    return converse(real_voices()[:2], seed=5, seconds=14.0)


def diarize(service: Any, content: bytes, **config: Any) -> httpx.Response:
    audio = [{"audioContent": base64.b64encode(content).decode()}]
    found: httpx.Response = service.client.post(
        DIARIZATION, json={"audio": audio, "config": config}
    )
    return found


def transcribe(client: httpx.Client, content: bytes, **fields: str) -> httpx.Response:
    return client.post(TRANSCRIBE, files={"file": ("a.wav", content)}, data=fields)


@pytest.mark.parametrize("config", [{}, {"numSpeakers": 2}, {"minSpeakers": 2, "maxSpeakers": 2}])
def test_two_people_are_told_apart(service: Any, talk: Conversation, config: Any) -> None:
    answer = diarize(service, wav_bytes(talk.pcm), **config)

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["num_speakers"] == 2
    assert found["speakers"] == ["SPEAKER_00", "SPEAKER_01"]
    assert found["total_segments"] == len(found["segments"])
    edges = [edge for one in found["segments"] for edge in (one["start_time"], one["end_time"])]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= len(talk.pcm) / SAMPLE_RATE
    assert all(
        one["duration"] == pytest.approx(one["end_time"] - one["start_time"], abs=1e-3)
        for one in found["segments"]
    )
    segments = [(one["start_time"], one["end_time"], one["speaker"]) for one in found["segments"]]
    assert diarization_error(talk.turns, segments).rate <= 0.05


def test_the_count_asked_for_is_the_count_found(service: Any, talk: Conversation) -> None:
    content = wav_bytes(talk.pcm)
    assert diarize(service, content, numSpeakers=1).json()["num_speakers"] == 1
    assert diarize(service, content, numSpeakers=4).json()["num_speakers"] >= 3
    assert diarize(service, content, maxSpeakers=1).json()["num_speakers"] == 1
    assert diarize(service, content, threshold=0.9).json()["num_speakers"] == 1


def test_dhruvas_path_gives_the_same(service: Any, talk: Conversation) -> None:
    audio = [{"audioContent": base64.b64encode(wav_bytes(talk.pcm)).decode()}]
    native, ulca = (
        service.client.post(path, json={"audio": audio})
        for path in (DIARIZATION, "/services/inference/diarization")
    )
    assert native.json() == ulca.json()


def test_silence_has_nobody(service: Any) -> None:
    found = diarize(service, wav_bytes(np.zeros(SAMPLE_RATE))).json()
    assert found == {"total_segments": 0, "num_speakers": 0, "speakers": [], "segments": []}


@pytest.mark.parametrize(
    "config",
    [
        {"numSpeakers": 0},
        {"numSpeakers": 21},
        {"minSpeakers": 3, "maxSpeakers": 2},
        {"numSpeakers": 4, "maxSpeakers": 2},
        {"threshold": 0},
        {"threshold": 2},
        {"numSpeakers": "many"},
    ],
)
def test_counts_that_make_no_sense(service: Any, short: bytes, config: Any) -> None:
    answer = diarize(service, short, **config)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_words_and_segments_of_a_transcript_have_their_speaker(
    service: Any, talk: Conversation
) -> None:
    answer = transcribe(service.client, wav_bytes(talk.pcm), diarize="true", num_speakers="2")

    assert answer.status_code == 200, answer.text
    output = answer.json()["output"][0]
    assert [one["speaker"] for one in output["speakers"]] == ["SPEAKER_00", "SPEAKER_01"]
    assert not any("identity" in one for one in output["speakers"])
    right = sum(word["speaker"] == true_speaker(talk, word) for word in output["words"])
    assert right >= 0.9 * len(output["words"])
    assert output["source"] == " ".join(one["text"] for one in output["segments"])
    for one in output["segments"]:
        own = [w for w in output["words"] if one["start"] <= w["start"] and w["end"] <= one["end"]]
        assert {word["speaker"] for word in own} == {one["speaker"]}
    stored = service.client.get(f"/api/v1/asr/requests/{answer.json()['id']}").json()["output"][0]
    assert stored["speakers"] == output["speakers"]
    assert stored["segments"] == output["segments"]


def true_speaker(talk: Conversation, word: Any) -> str:
    middle = (word["start"] + word["end"]) / 2
    names = list(dict.fromkeys(speaker for _, _, speaker in talk.turns))
    nearest = min(talk.turns, key=lambda turn: max(turn[0] - middle, middle - turn[1]))
    return f"SPEAKER_{names.index(nearest[2]):02d}"


def test_the_ulca_body_and_the_form_agree(service: Any, talk: Conversation) -> None:
    content = wav_bytes(talk.pcm[: 5 * SAMPLE_RATE])
    form = transcribe(service.client, content, diarize="true", num_speakers="2").json()["output"]
    assert service.infer(content, diarization={"numSpeakers": 2}).json()["output"] == form
    plain = service.infer(content).json()["output"][0]
    assert "speakers" not in plain
    assert not any("speaker" in word for word in plain["words"])
    assert plain["source"] == form[0]["source"]


def test_channels_that_are_speakers_are_not_told_apart_again(service: Any, short: bytes) -> None:
    answer = transcribe(service.client, short, diarize="true", channels="separate")
    assert (answer.status_code, answer.json()["code"]) == (422, "unsupported_parameter")


def test_known_speakers_need_their_scope_and_a_key(service: Any, short: bytes) -> None:
    with service.client_of("asr:infer") as client:
        plain = transcribe(client, short, diarize="true")
        known = transcribe(client, short, identify_speakers="true")
        audio = [{"audioContent": base64.b64encode(short).decode()}]
        ulca = client.post(DIARIZATION, json={"audio": audio, "config": {"identifySpeakers": True}})
    assert plain.status_code == 200
    assert [one.status_code for one in (known, ulca)] == [403, 403]
    assert {one.json()["code"] for one in (known, ulca)} == {"scope_missing"}
    keyless = transcribe(service.client, short, identify_speakers="true")
    assert (keyless.status_code, keyless.json()["code"]) == (503, "encryption_unconfigured")
