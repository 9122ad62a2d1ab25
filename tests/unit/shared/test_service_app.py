"""The frame of a service: identity, errors, bounds, infrastructure routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel

from shared.app import create_service_app
from shared.asgi.identity import require_scope
from shared.health import Health
from shared.identity import Identity, IdentityIssuer
from shared.metrics import Metrics
from shared.openapi import json_body, json_body_docs
from shared.settings import ServiceSettings

KeyPair = tuple[str, str]


class Inner(BaseModel):
    number: int


class Document(BaseModel):
    inner: Inner


router = APIRouter()


@router.post("/documents/{name}", openapi_extra=json_body_docs(Document))
async def documents(
    name: str, body: Annotated[Document, Depends(json_body(Document))], request: Request
) -> dict[str, Any]:
    require_scope(request.scope["state"]["identity"], "asr:infer")
    return {"name": name, "number": body.inner.number, "context": request.state.context}


@router.get("/broken")
async def broken() -> None:
    raise ZeroDivisionError("secret detail")


@router.get("/number/{number}")
async def number(number: int) -> int:
    return number


class Dependency:
    def __init__(self) -> None:
        self.failing = False

    async def check(self) -> None:
        if self.failing:
            raise ConnectionRefusedError("host and password")


@pytest.fixture
def dependency() -> Dependency:
    return Dependency()


@pytest.fixture
def app(tmp_path: Path, key_pair: KeyPair, dependency: Dependency) -> FastAPI:
    public = tmp_path / "public.pem"
    public.write_text(key_pair[1])

    @asynccontextmanager
    async def open_context(health: Health, _: Metrics) -> AsyncIterator[str]:
        health.add("engine", dependency.check, critical=True)
        yield "opened"

    settings = ServiceSettings(
        database_url="sqlite+aiosqlite://",
        identity_public_key_file=public,
        spool_dir=tmp_path,
        max_body_bytes=1000,
        receive_timeout_s=0.05,
    )
    return create_service_app(
        name="asr", title="Test", settings=settings, open_context=open_context, routers=[router]
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = dict(state or {})
            await app(scope, receive, send)

        transport = httpx.ASGITransport(with_state)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            yield client


@pytest.fixture
def headers(key_pair: KeyPair) -> dict[str, str]:
    identity = Identity("key", "tenant", frozenset({"asr:infer"}))
    return {"x-sg-identity": IdentityIssuer(key_pair[0]).issue(identity, "asr")}


async def test_answers(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/documents/a", headers=headers, json={"inner": {"number": 4}})
    assert answer.json() == {"name": "a", "number": 4, "context": "opened"}
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["traceparent"].startswith("00-")


async def test_refuses_without_identity(client: httpx.AsyncClient) -> None:
    for path in ("/documents/a", "/nothing", "/openapi.json", "/health/../documents/a"):
        answer = await client.post(path, json={})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "identity_required"


async def test_scope(client: httpx.AsyncClient, key_pair: KeyPair) -> None:
    identity = Identity("key", "tenant", frozenset({"tts:infer"}))
    token = IdentityIssuer(key_pair[0]).issue(identity, "asr")
    answer = await client.post(
        "/documents/a", headers={"x-sg-identity": token}, json={"inner": {"number": 4}}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_validation_names_the_member(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/documents/a", headers=headers, json={"inner": {"number": "x y"}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/inner/number"
    assert "x y" not in answer.text
    answer = await client.get("/number/none", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


async def test_an_error_of_ours_tells_nothing(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/broken", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_unknown_path_and_method(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.get("/nothing", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await client.get("/documents/a", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_declared_and_undeclared_lengths_are_bounded(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 300

    for content in (b" " * 1001, chunks()):
        answer = await client.post("/documents/a", headers=headers, content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_a_body_that_stalls(app: FastAPI, headers: dict[str, str]) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(10)
        raise AssertionError("waited too long")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/documents/a",
        "headers": [(b"x-sg-identity", headers["x-sg-identity"].encode())],
        "query_string": b"",
        "state": {},
    }
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_readiness_follows_critical_dependencies(
    client: httpx.AsyncClient, dependency: Dependency, app: FastAPI
) -> None:
    assert (await client.get("/ready")).status_code == 200
    dependency.failing = True
    assert (await client.get("/ready")).status_code == 503
    detailed = await client.get("/health/detailed")
    assert detailed.status_code == 503
    assert detailed.json()["checks"]["engine"]["error"] == "ConnectionRefusedError"
    assert "password" not in detailed.text
    assert (await client.get("/health")).status_code == 200
    dependency.failing = False
    app.state.health.draining = True
    assert (await client.get("/ready")).json() == {"status": "draining"}


async def test_metrics_label_the_template(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await client.post("/documents/unbounded-name", headers=headers, json={"inner": {"number": 4}})
    text = (await client.get("/metrics")).text
    assert 'route="/documents/{name}",service="asr",status="200"' in text
    assert "unbounded-name" not in text


async def test_openapi_hoists_definitions(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    document = (await client.get("/openapi.json", headers=headers)).json()
    assert "Inner" in document["components"]["schemas"]
    assert "$defs" not in str(document)
