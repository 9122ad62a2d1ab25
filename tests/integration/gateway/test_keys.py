"""The life of a key: creation, expiry, revocation, last use; on both stacks."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import httpx

from shared.db.base import new_id
from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import ASR, bearer, problem
from tests.support.poll import eventually


async def test_created_listed_used_and_revoked_by_the_command_line(
    client: httpx.AsyncClient, running: Running
) -> None:
    cli = running.installation.cli
    arguments = ["--name", "laptop", "--scope", "asr:infer", "--scope", "asr:read"]
    quotas = ["--expires-in", "30d", "--per-minute", "7", "--json"]
    created = json.loads(await cli("keys", "create", *arguments, *quotas))
    assert created["scopes"] == ["asr:infer", "asr:read"]
    quotas_of = {"per_minute": 7, "per_hour": None, "per_day": None, "max_concurrent": None}
    assert created["limits"] == quotas_of
    assert created["tenant"] == "default"
    key, key_id = created["key"], created["id"]
    response = await client.post(ASR, headers=bearer(key))
    assert response.status_code == 200
    assert '"minute";q=7;w=60, "hour";q=1000' in response.headers["ratelimit-policy"]

    async def used() -> bool:
        listed = json.loads(await cli("keys", "list", "--json"))
        assert "key" not in listed[0]
        return next(k for k in listed if k["id"] == key_id)["last_used_at"] is not None

    await eventually(used, timeout_s=15)
    table = await cli("keys", "list")
    assert key_id in table
    assert key not in table

    assert key_id in await cli("keys", "revoke", key_id)
    await eventually(lambda: refused(client, key, "key_revoked"), timeout_s=2.0)
    # And it stays so when this process has forgotten everything and asks its caches again.
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert await refused(client, key, "key_revoked")
        await asyncio.sleep(0.2)


async def refused(client: httpx.AsyncClient, key: str, code: str) -> bool:
    response = await client.post(ASR, headers=bearer(key))
    if response.status_code == 200:
        return False
    assert (response.status_code, problem(response)["code"]) == (401, code)
    return True


async def test_an_expired_key_is_refused_on_time(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, key = await running.installation.create_key(expires_in=timedelta(seconds=1.5))
    created = time.monotonic()
    assert (await client.post(ASR, headers=bearer(key))).status_code == 200
    await eventually(lambda: refused(client, key, "key_expired"), timeout_s=3.0)
    assert time.monotonic() - created >= 1.0  # not before


async def test_the_table_of_a_new_key_shows_it_once(running: Running) -> None:
    out = await running.installation.cli("keys", "create", "--name", "[x]", "--scope", "*")
    assert out.count("sg_live_") == 1
    assert "[x]" in out
    test_key = json.loads(
        await running.installation.cli(
            *("keys", "create", "--name", "t", "--scope", "*", "--environment", "test", "--json")
        )
    )
    assert test_key["key"].startswith("sg_test_")


async def test_a_wrong_pepper_knows_no_key(running: Running, key: str) -> None:
    folder = running.installation.folder
    (folder / "other-pepper").write_text("f" * 64)
    other = running.installation.gateway(key_pepper_file=str(folder / "other-pepper"), redis_url="")
    other.start()
    try:
        async with httpx.AsyncClient(base_url=other.url, trust_env=False) as client:
            assert await refused(client, key, "key_unknown")
    finally:
        other.stop()


async def test_changes_by_the_admin_api_hold_within_two_seconds(
    client: httpx.AsyncClient, running: Running
) -> None:
    _, root = await running.installation.create_key("*", "platform:admin")
    admin = bearer(root)

    async def ask(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await client.request(method, f"/api/v1/admin{path}", json=body, headers=admin)
        assert response.is_success, response.text
        answer: dict[str, Any] = response.json()
        return answer

    organization = await ask("POST", "/organizations", {"name": new_id()})
    wanted = {"name": "k", "scopes": ["asr:infer"], "tenant_id": organization["id"]}
    # Asked again and again below.
    wanted["limits"] = {"per_minute": 100_000, "per_hour": 100_000, "per_day": 100_000}
    made = await ask("POST", "/keys", wanted)

    async def answers(key: str, *expected: object) -> bool:
        response = await client.post(ASR, headers=bearer(key))
        code = None if response.is_success else problem(response)["code"]
        return (response.status_code, code) == expected

    assert await answers(made["key"], 200, None)
    path = f"/organizations/{organization['id']}"
    await ask("PATCH", path, {"suspended": True})
    await eventually(lambda: answers(made["key"], 403, "organization_suspended"), timeout_s=2.0)
    await ask("PATCH", path, {"suspended": False})
    await eventually(lambda: answers(made["key"], 200, None), timeout_s=2.0)
    await ask("PATCH", f"/keys/{made['id']}", {"scopes": ["tts:infer"]})
    await eventually(lambda: answers(made["key"], 403, "scope_missing"), timeout_s=2.0)
    await ask("PATCH", f"/keys/{made['id']}", {"scopes": ["asr:infer"]})
    await eventually(lambda: answers(made["key"], 200, None), timeout_s=2.0)

    rotated = await ask("POST", f"/keys/{made['id']}/rotate", {"overlap_s": 0})
    assert await answers(rotated["key"], 200, None)
    await eventually(lambda: answers(made["key"], 401, "key_expired"), timeout_s=2.0)
