"""SSML over HTTP, on the real model."""

import json
from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

PATH = "/api/v1/tts/inference"


def post(app: LiveApp, text: str) -> httpx.Response:
    config = {"language": {"sourceLanguage": "en"}, "gender": "female"}
    body = {"input": [{"source": text}], "config": config}
    with app.client("tts:infer") as client:
        return client.post(
            PATH, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )


def duration(app: LiveApp, text: str) -> float:
    response = post(app, text)
    assert response.status_code == 200, response.text
    seconds: float = response.json()["audio"][0]["duration"]
    return seconds


def test_breaks_are_silence(app: LiveApp) -> None:
    plain = duration(app, "<speak>One <break time='0ms'/> two</speak>")
    paused = duration(app, "<speak>One <break time='2s'/> two</speak>")
    assert paused - plain == pytest.approx(2, abs=0.1)


def test_rate_is_heard(app: LiveApp) -> None:
    text = "This is a sentence of some length."
    plain = duration(app, text)
    assert duration(app, f"<speak><prosody rate='60%'>{text}</prosody></speak>") > 1.3 * plain
    assert duration(app, f"<speak><prosody rate='180%'>{text}</prosody></speak>") < 0.8 * plain


def test_numbers_sound_as_their_words(app: LiveApp) -> None:
    written = duration(app, "It costs $3.50 on Jan. 5, 2024.")
    words = "It costs three dollars and fifty cents on January fifth, twenty twenty-four."
    assert written == pytest.approx(duration(app, words), abs=0.02)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('<speak><audio src="/etc/passwd"/></speak>', "ssml_unsupported"),
        (
            '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><speak>&x;</speak>',
            "ssml_unsupported",
        ),
        ("<speak>" + "<p>" * 2_000, "ssml_too_complex"),
        ("<speak>" + "<break/>" * 1_000 + "</speak>", "ssml_too_complex"),
        ("<speak><break time='11s'/>a</speak>", "ssml_invalid_value"),
        ("<speak>a", "ssml_malformed"),
        ("<speak></speak>", "empty_text"),
    ],
)
def test_what_is_refused(app: LiveApp, text: str, code: str) -> None:
    response = post(app, text)
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (422, code), problem
    assert problem["errors"][0]["pointer"] == "/input/0/source"
    assert "passwd" not in response.text


def test_more_than_a_text_may_hold(app: LiveApp) -> None:
    assert post(app, "<speak>" + "<break/>" * 100_000 + "</speak>").status_code == 413
