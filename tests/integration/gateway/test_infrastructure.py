"""Documentation, health and headers, on both stacks."""

import re

import httpx
import pytest

from tests.integration.gateway.conftest import Running


async def test_the_document_joins_gateway_and_services(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["paths"]["/api/v1/asr/inference"]["post"]["summary"] == "Transcribe"
    assert {"/health", "/ready", "/metrics", "/api/v1/nmt/inference"} <= document["paths"].keys()
    assert "/secret" not in document["paths"]
    assert document["components"]["securitySchemes"].keys() == {"Bearer", "ApiKey"}
    login = document["paths"]["/api/v1/auth/login"]["post"]
    assert "security" not in login
    roles = document["paths"]["/api/v1/admin/roles"]["get"]
    assert (roles["x-required-scope"], len(roles["security"])) == ("users:read", 2)
    assert "101" in document["paths"]["/api/v1/asr/stream"]["get"]["responses"]
    assert "Problem" in document["components"]["schemas"]
    references = re.findall(r"#/components/(\w+)/([\w-]+)", str(document))
    assert references
    assert all(name in document["components"][kind] for kind, name in references)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_pages_need_no_inline_script(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert page.status_code == 200
    script_policy = re.search(r"script-src ([^;]*)", page.headers["content-security-policy"])
    assert script_policy
    assert "unsafe" not in script_policy[1]
    assert re.findall(r"<script(?! src=)", page.text) == []
    for source in re.findall(r'(?:src|href)="(/docs/assets/[^"]+)"', page.text):
        asset = await client.get(source)
        assert (asset.status_code, len(asset.content) > 100) == (200, True)


async def test_assets_are_a_fixed_list(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs/assets/favicon.png")).status_code == 404
    assert (await client.get("/docs/assets/__init__.py")).status_code == 404


@pytest.mark.parametrize("path", ["/health", "/docs", "/nothing", "/api/v1/asr/inference"])
async def test_security_headers_are_on_every_answer(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Origin": "https://evil.example"})
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not any(name.startswith("access-control") for name in response.headers)
    assert "server" not in response.headers


async def test_detailed_health_names_each_dependency(
    client: httpx.AsyncClient, running: Running
) -> None:
    report = (await client.get("/health/detailed")).json()
    assert report["status"] == "ok"
    expected = {"database", "authentication", "flags"}
    expected |= {"asr-service", "tts-service", "nlp-service"}
    if running.installation.redis_url:
        expected.add("redis")
    assert report["checks"].keys() == expected
    assert (await client.get("/ready")).json() == {"status": "ready"}
