"""Lexicon and SSML through the gateway."""

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key

pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
LEXICON, SPEAK = "/api/v1/tts/lexicon", "/api/v1/tts/inference"
CONFIG = {"language": {"sourceLanguage": "en"}, "gender": "female"}


def duration(client: httpx.Client, text: str) -> float:
    answer = client.post(SPEAK, json={"input": [{"source": text}], "config": CONFIG})
    assert answer.status_code == 200, answer.text
    seconds: float = answer.json()["audio"][0]["duration"]
    return seconds


def test_an_organization_teaches_its_words(stack: Stack, client: httpx.Client) -> None:
    plain = duration(client, "Ask the qwrtz.")
    entry = {"phrase": "qwrtz", "alias": "department of complicated names", "language": "en"}
    made = client.post(LEXICON, json=entry)
    assert made.status_code == 201, made.text
    place = f"{LEXICON}/{made.json()['id']}"
    assert made.json() in client.get(LEXICON, params={"language": "en"}).json()["items"]
    assert duration(client, "Ask the qwrtz.") > plain + 0.5

    key = make_key(stack, "--name", "speaker", "--scope", "tts:infer", "--scope", "tts:read")["key"]
    with client_of(stack, key) as speaker:
        assert speaker.get(place).json() == made.json()
        assert speaker.delete(place).status_code == 403
        assert speaker.post(LEXICON, json=entry).status_code == 403

    changed = client.put(place, json={**entry, "alias": "office"})
    assert changed.json()["alias"] == "office"
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
    assert duration(client, "Ask the qwrtz.") == pytest.approx(plain, abs=0.05)


def test_markup_is_heard_and_attacks_are_refused(client: httpx.Client) -> None:
    plain = duration(client, "<speak>One two</speak>")
    assert duration(client, "<speak>One <break time='3s'/> two</speak>") > plain + 2.5
    attack = '<speak><audio src="http://127.0.0.1/"/></speak>'
    answer = client.post(SPEAK, json={"input": [{"source": attack}], "config": CONFIG})
    assert (answer.status_code, answer.json()["code"]) == (422, "ssml_unsupported")
