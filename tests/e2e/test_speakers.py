"""Known speakers and diarization through the gateway, on both stacks."""

from collections.abc import Iterator

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key
from tests.support.voices import Voice, real_voices
from tests.support.wav import wav_bytes

SPEAKERS = "/api/v1/asr/speakers"


@pytest.fixture(scope="module")
def voices() -> dict[str, Voice]:
    return {voice.name: voice for voice in real_voices()}


@pytest.fixture
def mine(stack: Stack) -> Iterator[httpx.Client]:
    with client_of(stack) as client:
        yield client


def post(client: httpx.Client, path: str, voice: Voice, **fields: str) -> httpx.Response:
    file = {"file": ("a.wav", wav_bytes(voice.pcm()))}
    return client.post(f"{SPEAKERS}{path}", files=file, data=fields)


def test_a_known_speaker_is_recognized_through_the_gateway(
    mine: httpx.Client, voices: dict[str, Voice]
) -> None:
    reader = voices["reader"]
    made = post(mine, "", reader.part(0, 0.5), name="Ann", consent="true")
    assert made.status_code == 201, made.text
    path = f"{SPEAKERS}/{made.json()['id']}"

    assert made.json() in mine.get(SPEAKERS).json()["items"]
    assert mine.patch(path, json={"name": "Anna"}).json()["name"] == "Anna"
    more = post(mine, f"/{made.json()['id']}/prototypes", reader.part(0.5, 1))
    assert more.status_code == 201
    (found,) = post(mine, "/identify", reader.part(0.7, 1)).json()["speakers"]
    assert found["match"]["name"] == "Anna"
    (stranger,) = post(mine, "/identify", voices["cards"]).json()["speakers"]
    assert stranger["match"] is None

    answer = mine.post(
        "/api/v1/asr/transcribe",
        files={"file": ("a.wav", wav_bytes(reader.part(0.6, 0.8).pcm()))},
        data={"identify_speakers": "true"},
    ).json()["output"][0]
    assert [one["known"]["name"] for one in answer["speakers"]] == ["Anna"]
    assert {word["speaker"] for word in answer["words"]} == {"SPEAKER_00"}

    prototype = more.json()["prototypes"][0]["id"]
    assert mine.delete(f"{path}/prototypes/{prototype}").status_code == 204
    assert mine.delete(path).status_code == 204
    assert mine.get(path).status_code == 404


def test_keys_without_the_scope_are_refused(stack: Stack, voices: dict[str, Voice]) -> None:
    made = make_key(stack, "--name", "asr-only", "--scope", "asr:infer")
    with client_of(stack, made["key"]) as client:
        assert client.get(SPEAKERS).json()["code"] == "scope_missing"
        named = post(client, "", voices["cards"], name="A", consent="true")
        assert named.json()["code"] == "scope_missing"
        hidden = client.post(
            "/api/v1/asr/transcribe",
            files={"file": ("a.wav", wav_bytes(voices["cards"].pcm()))},
            data={"identify_speakers": "true"},
        )
        assert (hidden.status_code, hidden.json()["code"]) == (403, "scope_missing")
