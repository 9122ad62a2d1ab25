import time
from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

NMT = "/api/v1/nmt/inference"
SENTIMENT = "/api/v1/nlp/sentiment/inference"
DETECTION = "/api/v1/nlp/language-detection/inference"


def body(*texts: Any, source: Any = "en", target: Any = "es", **config: Any) -> dict[str, Any]:
    language = {"sourceLanguage": source, "targetLanguage": target}
    return {
        "input": [{"source": text} for text in texts],
        "config": {"language": language, **config},
    }


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code
    return problem


@pytest.mark.parametrize(
    ("path", "wrong", "status", "code"),
    [
        (NMT, body(), 422, "empty_text"),
        (NMT, body("", " \n"), 422, "empty_text"),
        (NMT, body("a" * 5_001), 413, "text_too_long"),
        (NMT, body(*["a" * 4_900] * 30), 413, "text_too_long"),
        (NMT, body(*["a"] * 91), 422, "too_many_items"),
        (NMT, body("a", target="hi"), 422, "unsupported_language"),
        (NMT, body("a", source="xx"), 422, "unsupported_language"),
        (NMT, body("a", source="English"), 422, "validation_failed"),
        (NMT, body("a", serviceId="none"), 422, "unknown_model"),
        (NMT, body(None), 422, "validation_failed"),
        (NMT, {"input": [{"source": "a"}]}, 422, "validation_failed"),
        (SENTIMENT, body("a", source="hi"), 422, "unsupported_language"),
        (SENTIMENT, body("a", " \x00"), 422, "empty_text"),
        (SENTIMENT, body("a", serviceId="none"), 422, "unknown_model"),
        (SENTIMENT, body("a" * 5_001), 413, "text_too_long"),
        (DETECTION, {"input": []}, 422, "empty_text"),
        (DETECTION, body(""), 422, "empty_text"),
        (DETECTION, body(*["a"] * 91), 422, "too_many_items"),
        (DETECTION, body(5), 422, "validation_failed"),
    ],
)
def test_each_has_its_code(
    app: LiveApp, path: str, wrong: dict[str, Any], status: int, code: str
) -> None:
    started = time.perf_counter()
    with app.client() as client:
        response = client.post(path, json=wrong)
    assert time.perf_counter() - started < 1
    refused(response, status, code)


@pytest.mark.parametrize("path", [NMT, SENTIMENT, DETECTION])
@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b'{"input":', 400, "invalid_json"),
        (b"[" * 100_000, 400, "json_too_deep"),
        (b'{"input":[],"input":[]}', 400, "duplicate_member"),
        (b"x" * (4 * 1024 * 1024 + 1), 413, "payload_too_large"),
    ],
)
def test_bodies_that_are_no_documents(
    app: LiveApp, path: str, raw: bytes, status: int, code: str
) -> None:
    with app.client() as client:
        refused(client.post(path, content=raw), status, code)


def test_the_pair_error_lists_what_is_served(app: LiveApp) -> None:
    with app.client() as client:
        problem = refused(
            client.post(NMT, json=body("a", target="hi")), 422, "unsupported_language"
        )
    assert "en-es" in problem["served"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", NMT, "nlp:read"),
        ("POST", SENTIMENT, "tts:infer"),
        ("POST", DETECTION, "nlp:read"),
        ("GET", "/api/v1/nmt/languages", "asr:infer"),
        ("GET", f"/api/v1/nmt/requests/{'0' * 32}", "nlp:infer"),
        ("GET", f"/api/v1/nlp/requests/{'0' * 32}", "nlp:infer"),
    ],
)
def test_scopes(app: LiveApp, method: str, path: str, scope: str) -> None:
    with app.client(scope) as client:
        refused(client.request(method, path, json=body("a")), 403, "scope_missing")


@pytest.mark.parametrize("path", [NMT, SENTIMENT, DETECTION])
def test_without_the_gateway_there_is_no_answer(app: LiveApp, path: str) -> None:
    refused(httpx.post(app.url + path, json=body("a")), 401, "identity_required")
