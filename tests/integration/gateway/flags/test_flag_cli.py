"""`speechgate flags …` over the same Unleash as the gateway."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from gateway.flags.names import ASR_MODEL, MODEL_FLAGS
from tests.integration.gateway.flags.conftest import API, Client, FlagWorld, evaluated, routed
from tests.support.poll import eventually


async def test_the_command_line_says_what_the_gateway_says(
    client: Client, flag_world: FlagWorld, route_asr: Callable[[int, Any], None]
) -> None:
    route_asr(100, {"model": "asr-large", "version": "2"})

    async def on() -> bool:
        return (await routed(client))[0] == "candidate"

    await eventually(on)
    cli = flag_world.installation.cli
    (kept,) = (flag_world.installation.folder / "cache").iterdir()
    before = (kept.stat().st_ino, kept.stat().st_mtime_ns)
    asked = ("flags", "evaluate", ASR_MODEL, "--user", "somebody", "-a", "plan=gold")
    evaluation, listed = await asyncio.gather(cli(*asked, "--json"), cli("flags", "list", "--json"))

    after = (kept.stat().st_ino, kept.stat().st_mtime_ns)
    assert after == before, "the gateway's file is not the command line's to write"

    answer = json.loads(evaluation)
    by_api = await evaluated(client, ASR_MODEL, user_id="somebody", context={"plan": "gold"})
    del answer["evaluated_at"], by_api["evaluated_at"]
    assert answer == by_api
    assert answer["value"] == {"model": "asr-large", "version": "2"}
    flags = json.loads(listed)
    assert flags == (await client.get(API, params={"limit": "200"})).json()["items"]
    assert {flag["name"] for flag in flags} >= set(MODEL_FLAGS)
