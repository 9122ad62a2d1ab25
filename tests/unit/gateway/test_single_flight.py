import asyncio
import gc
from typing import Any

import pytest

from gateway.services.single_flight import SingleFlight


async def test_all_who_ask_at_once_share_one_piece_of_work() -> None:
    flights, runs = SingleFlight[str, int](), 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        return runs

    waits = [asyncio.create_task(flights.run("a", work)) for _ in range(3)]
    assert flights.start("a", work) is flights.start("a", work)
    assert await asyncio.gather(*waits) == [1, 1, 1]
    assert await flights.run("a", work) == 2


async def test_a_failure_is_told_to_those_who_wait_and_to_nobody_else() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    flights = SingleFlight[str, int]()

    async def fail() -> int:
        raise LookupError("nothing")

    with pytest.raises(LookupError, match="nothing"):
        await flights.run("a", fail)
    task = flights.start("a", fail)
    await asyncio.wait([task])
    del task
    await asyncio.sleep(0)
    gc.collect()
    assert told == []
