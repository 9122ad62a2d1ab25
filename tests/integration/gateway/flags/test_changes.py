"""What is changed in Unleash reaches the routing of requests."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from deploy.local.unleash import UnleashServer
from gateway.flags.names import ASR_MODEL, kill_switch
from tests.integration.gateway.flags.conftest import (
    REFRESH_S,
    Client,
    FlagWorld,
    routed,
)
from tests.integration.gateway.harness import problem, upstream_stats
from tests.support.flags import Feature, feature
from tests.support.poll import eventually

LARGE = ("candidate", "asr-large/2")
LANGUAGES, STREAM = "/api/v1/asr/languages", "/api/v1/asr/stream"


async def test_a_change_reaches_routing_within_two_refreshes(
    client: Client,
    unleash: UnleashServer,
    route_asr: Callable[[int, Any], None],
) -> None:
    async def follows(change: Callable[[], None], expected: tuple[str, str | None]) -> float:
        change()
        changed = time.monotonic()

        async def arrived() -> bool:
            return await routed(client) == expected

        await eventually(arrived, timeout_s=10 * REFRESH_S)
        return time.monotonic() - changed

    on = partial(route_asr, 100, {"model": "asr-large", "version": "2"})
    other = partial(route_asr, 100, {"model": "asr-huge"})
    off = partial(unleash.switch, ASR_MODEL, on=False)
    assert await routed(client) == ("default", None)
    took = [
        await follows(change, expected)
        for change, expected in (
            (on, LARGE),
            (other, ("candidate", "asr-huge")),
            (off, ("default", None)),
        )
    ]
    assert max(took) <= 2 * REFRESH_S, took


async def test_a_kill_switch_closes_its_route_and_opens_it_again(
    client: Client,
    unleash: UnleashServer,
    flag_world: FlagWorld,
    make_flag: Callable[[Feature], str],
) -> None:
    async def answers(path: str, status: int) -> bool:
        return (await client.get(path)).status_code == status

    assert await answers(LANGUAGES, 200)
    assert await answers(STREAM, 426)
    names = [make_flag(feature(kill_switch(path))) for path in (LANGUAGES, STREAM)]
    assert names == ["kill-asr-languages", "kill-asr-stream"]
    await eventually(lambda: answers(LANGUAGES, 503))
    await eventually(lambda: answers(STREAM, 503))

    before = await upstream_stats(flag_world.upstream.url)
    for path in (LANGUAGES, STREAM):
        refused = await client.get(path)
        assert problem(refused)["code"] == "route_closed"
        assert refused.headers["retry-after"] == "30"
    assert await routed(client) == ("default", None), "the other routes are open"
    after = await upstream_stats(flag_world.upstream.url)
    assert after["requests"] - before["requests"] == 1, "closed routes ask no service"

    for name in names:
        unleash.switch(name, on=False)
    await eventually(lambda: answers(LANGUAGES, 200))
    await eventually(lambda: answers(STREAM, 426))
