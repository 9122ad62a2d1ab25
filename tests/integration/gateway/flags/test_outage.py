"""Unleash dies: what the gateway goes on with, what a new one starts with, and the return.

The tests are in the order of the outage; the first ends with Unleash dead, the last with it back.
"""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.unleash import ENVIRONMENT, UnleashServer
from gateway.flags.names import ASR_MODEL, MODEL_FLAGS
from gateway.flags.unleash_provider import cache_file
from tests.integration.gateway.flags.conftest import (
    API,
    Client,
    FlagWorld,
    client_of,
    evaluated,
    remove,
    routed,
)
from tests.integration.gateway.harness import Program, metric, problem, scrape
from tests.support.flags import feature, model_flag
from tests.support.poll import eventually

HALF = model_flag(ASR_MODEL, 50, {"model": "asr-large"})
KILL = "kill-asr-languages"
USERS = [f"user-{number}" for number in range(100)]


async def answers_of(client: Client) -> list[tuple[Any, ...]]:
    """What the gateway says of the rollout to each user, of a closed route, and of an unknown."""
    found: list[tuple[Any, ...]] = []
    for user in USERS:
        answer = await evaluated(client, ASR_MODEL, user_id=user, default_value={})
        found.append((answer["value"], answer["variant"], answer["reason"], answer["error_code"]))
    closed = await client.get("/api/v1/asr/languages")
    found.append((closed.status_code, *await routed(client)))
    return found


async def state_of(client: Client) -> dict[str, Any]:
    state: dict[str, Any] = (await client.get(API)).json()["state"]
    return state


async def names_of(client: Client) -> set[str]:
    return {item["name"] for item in (await client.get(API)).json()["items"]}


@pytest.fixture(scope="module")
def key(flag_world: FlagWorld) -> str:
    """One for all tests here: a rollout decides by the key."""
    return asyncio.run(flag_world.installation.create_key())[1]


@pytest.fixture(scope="module")
def before(flag_world: FlagWorld, key: str) -> Iterator[list[tuple[Any, ...]]]:
    """The answers while Unleash was alive; it is dead from then on."""
    unleash = flag_world.unleash
    unleash.replace_strategies(ASR_MODEL, HALF["strategies"])
    unleash.switch(ASR_MODEL, on=True)
    assert unleash.add_feature(feature(KILL))

    async def ask() -> list[tuple[Any, ...]]:
        async with client_of(flag_world.gateway, key) as client:

            async def followed() -> bool:
                closed = await client.get("/api/v1/asr/languages")
                on = await evaluated(client, ASR_MODEL, default_value=False, user_id="u")
                return closed.status_code == 503 and on["reason"] == "SPLIT"

            async def stored() -> bool:
                return KILL in flag_world.query("SELECT name FROM feature_flags")

            await eventually(followed)
            await eventually(stored)
            return await answers_of(client)

    answers = asyncio.run(ask())
    unleash.kill()
    unleash.wait_exit()
    yield answers
    if not unleash.running:
        unleash.start()
    unleash.switch(ASR_MODEL, on=False)
    remove(unleash, flag_world.cluster, KILL)


async def test_the_answers_stay_and_are_marked_stale(
    flag_world: FlagWorld, key: str, before: list[tuple[Any, ...]]
) -> None:
    chosen = sum(answer[1] == "candidate" for answer in before)
    assert 0.35 < chosen / len(USERS) < 0.65, "the answers are not all alike"
    assert before[-1][0] == 503
    async with client_of(flag_world.gateway, key) as client:

        async def stale() -> bool:
            return bool((await state_of(client))["stale"])

        await eventually(stale)
        assert await answers_of(client) == before
        assert (await state_of(client))["refreshed_at"] is not None
        assert metric(await scrape(client), "speechgate_flags_stale") == 1
        assert (await client.get("/ready")).status_code == 200
        health = (await client.get("/health/detailed")).json()
        assert health["checks"]["flags"]["status"] != "ok"

        refused = await client.post(f"{API}/sync")
        assert (refused.status_code, problem(refused)["code"]) == (503, "flags_unavailable")


def own_cache(world: FlagWorld, folder: Path, url: str | None = None) -> Path:
    """Where a gateway with this cache folder looks."""
    file = cache_file(folder, url or world.unleash.url, ENVIRONMENT)
    assert file is not None
    return file


async def check_start(gateway: Program, key: str, before: list[tuple[Any, ...]]) -> set[str]:
    """A new gateway answers as the old one; returns the names of its flags."""
    async with client_of(gateway, key) as client:
        state = await state_of(client)
        assert (state["stale"], state["refreshed_at"]) == (True, None)
        assert (await client.get("/ready")).status_code == 200
        assert await answers_of(client) == before
        return await names_of(client)


async def test_a_gateway_starts_with_its_cached_file(
    flag_world: FlagWorld, key: str, before: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    kept = own_cache(flag_world, flag_world.installation.folder / "cache")
    assert kept.stat().st_mode & 0o077 == 0
    document = json.loads(kept.read_bytes())
    document["features"].append(feature("only-in-the-file"))
    own_cache(flag_world, tmp_path).write_text(json.dumps(document))
    with flag_world.another(flags_cache_dir=str(tmp_path)) as gateway:
        assert "only-in-the-file" in await check_start(gateway, key, before)
    rows = flag_world.query("SELECT name FROM feature_flags").splitlines()
    assert "only-in-the-file" not in rows, "what was only remembered is not stored"
    assert {*MODEL_FLAGS, KILL} <= set(rows)


async def test_a_gateway_without_a_usable_file_starts_with_what_the_database_knows(
    flag_world: FlagWorld, key: str, before: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    """And with a flag server that accepts connections but never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}"
        own_cache(flag_world, tmp_path, url).write_text('{"features": [{"name": "half')
        with flag_world.another(flags_cache_dir=str(tmp_path), unleash_url=url) as gateway:
            assert {*MODEL_FLAGS, KILL} <= await check_start(gateway, key, before)


async def test_a_gateway_that_never_knew_a_flag_starts_with_defaults(
    flag_world: FlagWorld, key: str, before: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    assert before
    # Neither file nor database know this environment.
    fresh = {"flags_cache_dir": str(tmp_path), "unleash_environment": "fresh"}
    with flag_world.another(**fresh) as gateway:
        async with client_of(gateway, key) as client:
            state = await state_of(client)
            assert (state["stale"], state["refreshed_at"]) == (True, None)
            assert await names_of(client) == set()
            assert (await client.get("/ready")).status_code == 200
            answer = await evaluated(client, ASR_MODEL, default_value={"model": "mine"})
            assert (answer["value"], answer["reason"]) == ({"model": "mine"}, "ERROR")
            assert await routed(client) == ("default", None)
            assert (await client.get("/api/v1/asr/languages")).status_code == 200


async def test_the_command_line_goes_on_too(
    flag_world: FlagWorld, before: list[tuple[Any, ...]]
) -> None:
    assert before
    table = await flag_world.installation.cli("flags", "list")
    assert all(name in table for name in (*MODEL_FLAGS, KILL))
    assert "50 %" in table


async def test_unleash_returns(
    flag_world: FlagWorld, unleash: UnleashServer, key: str, before: list[tuple[Any, ...]]
) -> None:
    async with client_of(flag_world.gateway, key) as client:
        await asyncio.to_thread(unleash.start)

        async def fresh() -> bool:
            return not (await state_of(client))["stale"]

        await eventually(fresh)
        assert metric(await scrape(client), "speechgate_flags_stale") == 0
        assert await answers_of(client) == before
        unleash.switch(KILL, on=False)

        async def opened() -> bool:
            return (await client.get("/api/v1/asr/languages")).status_code == 200

        await eventually(opened)
