"""`feature_flag_evaluations`: what was evaluated, for whom, and a sample of it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from gateway.flags.names import ASR_MODEL
from shared.db.base import new_id, utc_now
from tests.integration.gateway.flags.conftest import (
    API,
    Client,
    FlagWorld,
    client_of,
    evaluated,
    routed,
)
from tests.integration.gateway.harness import ASR, Program, scrape
from tests.support.poll import eventually

NAMES = [f"sampled-{number}" for number in range(100)]
REQUESTS = 20


async def counted(client: Client) -> float:
    """Evaluations that the gateway counted since its start."""
    lines = (await scrape(client)).splitlines()
    name = "speechgate_flag_evaluations_total{"
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def test_each_evaluation_is_stored_once(
    client: Client, flag_world: FlagWorld, route_asr: Callable[[int, Any], None]
) -> None:
    route_asr(100, {"model": "asr-large"})

    async def on() -> bool:
        return await routed(client) == ("candidate", "asr-large")

    await eventually(on)
    key, text = await flag_world.installation.create_key()
    async with client_of(flag_world.gateway, text) as asking:
        before = await counted(asking)
        await ask(asking)
        assert await counted(asking) - before == 10 + 50 + 5

    def stored() -> int:
        subjects = flag_world.query("SELECT subject FROM feature_flag_evaluations")
        return subjects.splitlines().count(key.id)

    await eventually(lambda: stored() >= 65)
    assert stored() == 65
    found = flag_world.query(
        "SELECT request_id, flag_name, environment, variant, reason, origin, value->>'model',"
        " targeting_key = subject, length(tenant_id) > 0"
        " FROM feature_flag_evaluations WHERE request_id LIKE 'trail-%' ORDER BY 1"
    )
    assert found.splitlines() == [
        f"trail-{n}|asr-model|development|candidate|TARGETING_MATCH|route|asr-large|t|t"
        for n in range(5)
    ]


async def ask(client: Client) -> None:
    """10 evaluations by the API, 50 at once, and 5 choices of a model for 15 requests."""
    for number in range(10):
        await evaluated(client, ASR_MODEL, user_id=f"user-{number}", default_value={})
    bulk = {"flag_names": NAMES[:50], "user_id": "user-1"}
    assert (await client.post(f"{API}/evaluate/bulk", json=bulk)).status_code == 200
    for _ in range(3):  # Of the same session: one decision.
        for number in range(5):
            headers = {"X-Session-Id": f"s{number}", "X-Request-Id": f"trail-{number}"}
            assert (await client.post(ASR, content=b"x", headers=headers)).status_code == 200


async def test_two_processes_keep_the_same_sample(flag_world: FlagWorld) -> None:
    _, key = await flag_world.installation.create_key()

    async def ask_both(program: Program) -> None:
        async with client_of(program, key) as client:
            for number in range(REQUESTS):
                response = await client.post(
                    f"{API}/evaluate/bulk",
                    json={"flag_names": NAMES, "user_id": "somebody"},
                    headers={"X-Request-Id": f"sample-{number}"},
                )
                assert len(response.json()["evaluations"]) == len(NAMES)

    def run() -> None:
        # What waits is written at the end of a process.
        with flag_world.another(flag_audit_sample="0.1", flag_audit_flush_s="60") as program:
            asyncio.run(ask_both(program))

    await asyncio.gather(asyncio.to_thread(run), asyncio.to_thread(run))

    found = flag_world.query(
        "SELECT request_id, flag_name FROM feature_flag_evaluations"
        " WHERE request_id LIKE 'sample-%'"
    )
    kept = Counter(found.splitlines())
    assert set(kept.values()) == {2}
    assert abs(len(kept) / (REQUESTS * len(NAMES)) - 0.1) <= 0.03


async def test_old_rows_are_deleted_in_turn_and_young_ones_stay(flag_world: FlagWorld) -> None:
    old = int((utc_now() - timedelta(days=31)).timestamp() * 1000) - 5_000
    flag_world.query(
        f"""
        INSERT INTO feature_flag_evaluations
        SELECT id, name, 'e', 't', 's', 'k', 'null', NULL, 'R', 'api', 'r', now() FROM (
          SELECT lpad(to_hex({old} + n), 12, '0') || lpad(n::text, 20, '7') AS id, 'pruned' AS name
          FROM generate_series(1, 5000) AS n UNION SELECT '{new_id()}', 'kept'
        ) AS rows
        """  # noqa: S608 - its own values
    )

    def left() -> list[str]:
        found = flag_world.query(
            "SELECT flag_name FROM feature_flag_evaluations"
            " WHERE flag_name IN ('pruned', 'kept') ORDER BY 1"
        )
        return found.split()

    assert len(left()) == 5_001

    def run() -> None:
        with flag_world.another(flag_audit_keep_days="30", flag_audit_flush_s="0.1"):
            asyncio.run(eventually(lambda: left() == ["kept"]))

    await asyncio.to_thread(run)
