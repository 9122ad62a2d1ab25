"""The gateway's own refusals, in the shape of the dialect whose path was asked."""

from typing import Any

import httpx
import pytest

from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import bearer, free_port, raw_exchange

OPENAI, ULCA = "/v1/audio/transcriptions", "/services/inference/asr"
PATHS = pytest.mark.parametrize("path", [OPENAI, ULCA])


def code_of(path: str, response: httpx.Response) -> str:
    """The code, and that there is nothing but the dialect's own members."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    document: dict[str, Any] = response.json()
    if path.startswith("/v1/"):
        assert set(document["error"]) == {"message", "type", "param", "code"}
        assert set(document) == {"error"}
        return str(document["error"]["code"])
    assert set(document["detail"]) == {"kind", "message"}
    assert set(document) == {"detail"}
    return str(document["detail"]["kind"])


@PATHS
async def test_no_key_and_a_wrong_one(client: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, bearer("sk-nonsense")):
        answer = await client.post(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"]
        code = code_of(path, answer)
        assert code == "invalid_api_key" if path == OPENAI else code.startswith("key_")


@pytest.mark.parametrize("path", ["/v1/audio/nothing", "/services/inference/nothing"])
async def test_no_such_path(client: httpx.AsyncClient, key: str, path: str) -> None:
    answer = await client.post(path, headers=bearer(key))
    assert (answer.status_code, code_of(path, answer)) == (404, "not_found")


@PATHS
async def test_no_such_method(client: httpx.AsyncClient, key: str, path: str) -> None:
    answer = await client.get(path, headers=bearer(key))
    assert (answer.status_code, code_of(path, answer)) == (405, "method_not_allowed")


@PATHS
async def test_a_missing_scope(running: Running, client: httpx.AsyncClient, path: str) -> None:
    _, narrow = await running.installation.create_key("tts:infer")
    answer = await client.post(path, headers=bearer(narrow))
    assert (answer.status_code, code_of(path, answer)) == (403, "scope_missing")


@PATHS
async def test_a_full_window(running: Running, client: httpx.AsyncClient, path: str) -> None:
    _, small = await running.installation.create_key(per_minute=1)
    assert (await client.post(path, headers=bearer(small))).status_code == 200
    answer = await client.post(path, headers=bearer(small))
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    limited = "rate_limit_exceeded" if path == OPENAI else "rate_limited"
    assert code_of(path, answer) == limited


@PATHS
async def test_a_body_that_is_too_large(running: Running, key: str, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n"
    request = f"{head}Content-Length: {1 << 40}\r\n\r\n".encode()
    status, answer = await raw_exchange(running.gateway.port, request)
    assert status == 413
    assert b'"code":"payload_too_large"' in answer or b'"kind":"payload_too_large"' in answer


async def test_a_service_that_is_down(running: Running, key: str) -> None:
    gateway = running.installation.gateway(asr_urls=f"http://127.0.0.1:{free_port()}")
    gateway.start()
    try:
        async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client:
            for path in (OPENAI, ULCA):
                answer = await client.post(path, headers=bearer(key))
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) >= 1
                assert code_of(path, answer)
    finally:
        gateway.stop()


async def test_the_native_shape_stays(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/asr/inference")
    assert answer.headers["content-type"] == "application/problem+json"
