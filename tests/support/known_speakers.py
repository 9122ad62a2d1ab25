"""What tests of known speakers share."""

from typing import Any

import httpx

from tests.support.voices import Voice
from tests.support.wav import wav_bytes

SPEAKERS = "/api/v1/asr/speakers"
SCOPES = ("speakers:read", "speakers:write", "asr:infer", "asr:read")


def first_half(voice: Voice) -> bytes:
    return wav_bytes(voice.part(0, 0.5).pcm())


def second_half(voice: Voice) -> bytes:
    return wav_bytes(voice.part(0.5, 1).pcm())


def post(client: httpx.Client, path: str, content: bytes, **fields: str) -> httpx.Response:
    return client.post(f"{SPEAKERS}{path}", files={"file": ("a.wav", content)}, data=fields)


def made(client: httpx.Client, name: str, content: bytes) -> dict[str, Any]:
    answer = post(client, "", content, name=name, consent="true")
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
