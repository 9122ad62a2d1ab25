from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

PATH = "/api/v1/tts/inference"


def body(source: Any = "Hello.", **config: Any) -> dict[str, Any]:
    plain = {"language": {"sourceLanguage": "en"}, "gender": "female"}
    return {"input": [{"source": source}], "config": plain | config}


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        (body(""), 422, "empty_text"),
        (body(" \x00\x01"), 422, "empty_text"),
        (body("..."), 422, "empty_text"),
        ({**body(), "input": []}, 422, "empty_text"),
        (body('<speak><audio src="/x"/></speak>'), 422, "ssml_unsupported"),
        (body("a" * 10_001), 413, "text_too_long"),
        ({**body(), "input": [{"source": "a" * 9_000}] * 3}, 413, "text_too_long"),
        ({**body(), "input": [{"source": "a"}] * 17}, 422, "too_many_items"),
        (body(language={"sourceLanguage": "xx"}), 422, "unsupported_language"),
        (body(audioFormat="midi"), 422, "unsupported_audio_format"),
        (body(audioFormat="opus", samplingRate=44_100), 422, "unsupported_sampling_rate"),
        (body(samplingRate=7_999), 422, "unsupported_sampling_rate"),
        (body(samplingRate=48_001), 422, "unsupported_sampling_rate"),
        (body(samplingRate="8000"), 422, "validation_failed"),
        (body(serviceId="none"), 422, "unknown_model"),
        (body(gender="other"), 422, "validation_failed"),
        (body(voice="../../etc/passwd"), 422, "validation_failed"),
        (body(voice="-v"), 422, "validation_failed"),
        (body(speed=10), 422, "validation_failed"),
        (body(pitch=0.4), 422, "validation_failed"),
        (body(wordTimes="yes"), 422, "validation_failed"),
        (body(inputFormat="html"), 422, "validation_failed"),
        (body(language={"sourceLanguage": "x" * 99}), 422, "validation_failed"),
        (body(17), 422, "validation_failed"),
        ({"config": {}}, 422, "validation_failed"),
        ({}, 422, "validation_failed"),
    ],
)
def test_each_has_its_code(app: LiveApp, wrong: dict[str, Any], status: int, code: str) -> None:
    with app.client() as client:
        response = client.post(PATH, json=wrong)
    refused(response, status, code)


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b'{"input":', 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b"[" * 100_000, 400, "json_too_deep"),
        (b'{"config":{"speed":NaN}}', 400, "invalid_json"),
        (b'{"input":[],"input":[]}', 400, "duplicate_member"),
        (b'{"input":[{"source":"\\ud800"}]}', 400, "invalid_json"),
        (b"x" * (4 * 1024 * 1024 + 1), 413, "payload_too_large"),
    ],
)
def test_bodies_that_are_no_documents(app: LiveApp, raw: bytes, status: int, code: str) -> None:
    with app.client() as client:
        refused(client.post(PATH, content=raw), status, code)


def test_the_language_error_lists_what_is_served(app: LiveApp) -> None:
    with app.client() as client:
        response = client.post(PATH, json=body(language={"sourceLanguage": "xx"}))
    problem = refused(response, 422, "unsupported_language")
    assert "en" in problem["served"]
    assert problem["errors"][0]["pointer"] == "/config/language/sourceLanguage"


def test_a_voice_the_engine_has_not_is_a_client_error(app: LiveApp) -> None:
    with app.client() as client:
        response = client.post(PATH, json=body(voice="en-us+nobody"))
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", PATH, "tts:read"),
        ("GET", "/api/v1/tts/voices", "asr:infer"),
        ("GET", f"/api/v1/tts/requests/{'0' * 32}", "tts:infer"),
    ],
)
def test_scopes(app: LiveApp, method: str, path: str, scope: str) -> None:
    with app.client(scope) as client:
        refused(client.request(method, path, json=body()), 403, "scope_missing")


def test_without_the_gateway_there_is_no_answer(app: LiveApp) -> None:
    refused(httpx.post(app.url + PATH, json=body()), 401, "identity_required")
    wrong = app.keys.headers("asr")
    refused(httpx.post(app.url + PATH, json=body(), headers=wrong), 401, "identity_invalid")
