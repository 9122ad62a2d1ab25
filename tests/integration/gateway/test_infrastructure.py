"""Documentation, health and headers, on both stacks."""

import re

import httpx
import pytest

from gateway.models.accounts import OrganizationChanges
from gateway.models.principal import NO_PLAN
from gateway.services.authority import OPERATOR
from shared.db.base import new_id
from shared.version import VERSION
from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import ASR, bearer, metric, scrape


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


async def test_what_runs_and_what_it_depends_on_is_exported(
    client: httpx.AsyncClient, running: Running
) -> None:
    text = await scrape(client)
    assert metric(text, "speechgate_build_info", service="gateway", version=VERSION) == 1
    assert metric(text, "speechgate_dependency_up", dependency="database") == 1
    if running.installation.redis_url:
        assert metric(text, "speechgate_dependency_up", dependency="redis") == 1
    assert metric(text, "speechgate_proxied_requests_max") == 2048
    assert metric(text, "speechgate_composed_body_bytes_max") == 256 << 20
    assert metric(text, "speechgate_upstream_in_flight_max") == 1024


async def test_requests_are_counted_by_the_senders_plan(
    client: httpx.AsyncClient, running: Running
) -> None:
    name, none = f"gold-{new_id()[-8:]}", NO_PLAN
    async with running.installation.services() as services:
        plan = await services.plans.create(OPERATOR, name, {"per_minute": 1000})
        organization = await services.accounts.organizations.ensure(OPERATOR, name)
        changes = OrganizationChanges(plan_id=plan.id)
        await services.accounts.organizations.update(OPERATOR, organization.id, changes)
    _, key = await running.installation.create_key(tenant=name)
    _, other = await running.installation.create_key(tenant=f"{name}-none")
    before = await scrape(client)

    def counted(text: str, plan: str, route: str) -> float:
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith("speechgate_http_requests_total")
            and f',plan="{plan}",' in line
            and f'route="{route}"' in line
        )

    own = "/api/v1/feature-flags"
    for path in (ASR, own):
        for sender in (key, key, other):
            method = "POST" if path == ASR else "GET"
            await client.request(method, path, headers=bearer(sender))
        await client.request("POST" if path == ASR else "GET", path)
    after = await scrape(client)
    for path in (ASR, own):
        assert counted(after, name, path) - counted(before, name, path) == 2
        assert counted(after, none, path) - counted(before, none, path) == 1
        assert counted(after, "", path) - counted(before, "", path) == 1
    durations = [line for line in after.splitlines() if "request_duration_seconds" in line]
    assert not any("plan=" in line for line in durations)
