"""Which model answers, as the gateway chose or the request says, on real Triton."""

from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

PATH = "/api/v1/nmt/inference"


def translate(
    app: LiveApp, *, headers: dict[str, str] | None = None, **config: Any
) -> httpx.Response:
    language = {"sourceLanguage": "en", "targetLanguage": "es"}
    body = {"input": [{"source": "Good morning."}], "config": {"language": language, **config}}
    with app.client("nlp:infer", "nlp:read") as client:
        return client.post(PATH, json=body, headers=headers)


@pytest.mark.parametrize(
    ("preferred", "config", "used", "model"),
    [
        (None, {}, "default", "nmt"),
        ("nmt/1", {}, "variant", "nmt/1"),
        ("nmt/99", {}, "fallback", "nmt"),
        ("no-such-model", {}, "fallback", "nmt"),
        ("../nmt", {}, "default", "nmt"),
        ("nmt/1", {"serviceId": "nmt"}, "pinned", "nmt"),
    ],
)
def test_who_answers_and_what_is_stored(
    app: LiveApp, preferred: str | None, config: dict[str, str], used: str, model: str
) -> None:
    answer = translate(app, headers={"X-SG-Model": preferred} if preferred else None, **config)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-sg-model-used"] == used
    with app.client("nlp:read") as client:
        stored = client.get(f"/api/v1/nmt/requests/{answer.json()['id']}").json()
    assert stored["model"] == model


def test_no_time_left_is_refused_without_asking_the_model(app: LiveApp) -> None:
    answer = translate(app, headers={"X-SG-Timeout-Ms": "0"})
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
