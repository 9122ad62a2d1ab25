"""What the gateway refuses before a service sees it, over real sockets, on both stacks."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.models.keys import _checksum, generate_key
from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import (
    ASR,
    bearer,
    problem,
    raw_exchange,
    upstream_stats,
)


@pytest.mark.parametrize("form", ["Bearer {}", "Apikey {}", "{}"])
async def test_every_form_of_authorization(client: httpx.AsyncClient, key: str, form: str) -> None:
    response = await client.post(ASR, headers={"Authorization": form.format(key)})
    assert response.status_code == 200


async def test_x_api_key_but_never_a_query(client: httpx.AsyncClient, key: str) -> None:
    assert (await client.post(ASR, headers={"X-API-Key": key})).status_code == 200
    response = await client.post(ASR, params={"api_key": key, "apiKey": key})
    assert (response.status_code, problem(response)["code"]) == (401, "key_missing")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (b"Host: a\r\nHost: b\r\n", b"bad_header"),
        (b"Host: a\r\nX_User_ID: 1\r\n", b"bad_header"),
        (b"Host: a\r\nX-API-Key: 1\r\nX-API-Key: 2\r\n", b"bad_header"),
        (b"Accept: a\r\n", b"bad_header"),
        # The server's own parser refuses these before the gateway sees them.
        (b"Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n", b""),
        (b"Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", b""),
        (b"Host: a\r\nContent-Length: -1\r\n", b""),
        (b"Host: a\r\nX-A: b\r\n c\r\n", b""),
    ],
)
async def test_smuggling_headers_are_400(running: Running, lines: bytes, code: bytes) -> None:
    before = (await upstream_stats(running.upstream.url))["requests"]
    request = b"POST " + ASR.encode() + b" HTTP/1.1\r\n" + lines + b"\r\n"
    status, answer = await raw_exchange(running.gateway.port, request)
    assert status == 400
    assert code in answer
    assert (await upstream_stats(running.upstream.url))["requests"] == before


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/asr/..%2ftts/inference",
        "/api/v1/asr//inference",
        "/api/v1/../asr",
        "/a%00b",
        "/a%5cb",
    ],
)
async def test_ambiguous_paths_are_400(running: Running, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    status, answer = await raw_exchange(running.gateway.port, request)
    assert status == 400
    assert b"bad_path" in answer


async def test_undeclared_paths_and_methods(client: httpx.AsyncClient, key: str) -> None:
    for path in ("/api/v1/asr/other", "/api/v1/asr/inference/", "/nothing", "/admin"):
        response = await client.post(path, headers=bearer(key))
        assert (response.status_code, problem(response)["code"]) == (404, "not_found")
    for method in ("GET", "PUT", "OPTIONS", "DELETE"):
        response = await client.request(method, ASR, headers=bearer(key))
        assert (response.status_code, problem(response)["code"]) == (405, "method_not_allowed")
        assert response.headers["allow"] == "POST"
    response = await client.head(ASR, headers=bearer(key))
    assert (response.status_code, response.content) == (405, b"")


async def test_each_refusal_has_its_own_code(client: httpx.AsyncClient, running: Running) -> None:
    _, narrow = await running.installation.create_key("tts:infer")
    response = await client.post(ASR, headers=bearer(narrow))
    assert (response.status_code, problem(response)["code"]) == (403, "scope_missing")
    altered = narrow[:-1] + ("0" if narrow[-1] != "0" else "1")
    response = await client.post(ASR, headers=bearer(altered))
    assert (response.status_code, problem(response)["code"]) == (401, "key_malformed")
    assert response.headers["www-authenticate"].startswith("Bearer")
    response = await client.post(ASR, headers=bearer(generate_key("live")[0]))
    assert (response.status_code, problem(response)["code"]) == (401, "key_unknown")


async def test_a_key_outside_the_database_with_a_known_id_is_unknown(
    client: httpx.AsyncClient, running: Running
) -> None:
    stored, text = await running.installation.create_key()
    forged = f"sg_live_{stored.id}_{'A' * 43}"
    response = await client.post(ASR, headers=bearer(forged + _checksum(forged)))
    assert (response.status_code, problem(response)["code"]) == (401, "key_unknown")
    assert (await client.post(ASR, headers=bearer(text))).status_code == 200


async def test_declared_size_over_the_bound_is_refused_unread(running: Running, key: str) -> None:
    head = (
        f"POST /api/v1/tts/inference HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n"
        f"Content-Length: {50_000_000}\r\nExpect: 100-continue\r\n\r\n"
    )
    status, answer = await raw_exchange(running.gateway.port, head.encode())
    assert status == 413
    assert b"payload_too_large" in answer
    assert b"100 Continue" not in answer


async def test_chunked_body_over_the_bound_is_refused_when_it_passes_it(
    client: httpx.AsyncClient, key: str
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(65536)

    response = await client.post("/api/v1/tts/inference", content=endless(), headers=bearer(key))
    assert (response.status_code, problem(response)["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("framing", ["Content-Length: 10", "Transfer-Encoding: chunked"])
async def test_a_stalled_body_is_408(running: Running, key: str, framing: str) -> None:
    head = f"POST {ASR} HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n{framing}\r\n\r\n"
    status, answer = await raw_exchange(running.gateway.port, head.encode())
    assert status == 408
    assert b"request_timeout" in answer
