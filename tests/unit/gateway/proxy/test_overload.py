import asyncio
import time

import pytest

from gateway.exceptions import Overloaded
from gateway.models.routes import Priority
from gateway.proxy.overload import Overload
from shared.metrics import Metrics
from tests.support.poll import eventually

LIVE, INTERACTIVE, BATCH = Priority.LIVE, Priority.INTERACTIVE, Priority.BATCH


def fill(overload: Overload, priority: Priority) -> int:
    """How many requests of a priority find a place."""
    for count in range(1_000):
        try:
            overload.admit(priority)
        except Overloaded:
            return count
    raise AssertionError


def test_the_refusal_says_when_to_come_back() -> None:
    overload = Overload(1, Metrics("gateway"))
    overload.admit(LIVE)
    with pytest.raises(Overloaded) as refused:
        overload.admit(LIVE)
    assert (refused.value.status, refused.value.code) == (503, "overloaded")
    assert refused.value.headers["Retry-After"] == "1"


def test_batch_gives_way_first_and_live_streams_last() -> None:
    overload = Overload(100, Metrics("gateway"))
    assert [fill(overload, priority) for priority in (BATCH, INTERACTIVE, LIVE)] == [80, 15, 5]


def test_a_place_that_is_left_is_used_again() -> None:
    overload = Overload(1, Metrics("gateway"))
    overload.admit(LIVE)
    with pytest.raises(Overloaded):
        overload.admit(LIVE)
    overload.leave()
    overload.admit(LIVE)


async def test_a_late_loop_sheds_until_it_has_caught_up() -> None:
    overload = Overload(100, Metrics("gateway"))
    overload.start()
    try:

        async def sheds(priority: Priority) -> bool:
            # Blocks the loop, as work that is too much for it does.
            time.sleep(1.0)  # noqa: ASYNC251
            try:
                overload.admit(priority)
            except Overloaded:
                return True
            overload.leave()
            return False

        await eventually(lambda: sheds(BATCH), timeout_s=20)
        overload.admit(LIVE)

        def served() -> bool:
            try:
                overload.admit(BATCH)
            except Overloaded:
                return False
            return True

        await eventually(served, timeout_s=20)
    finally:
        overload.stop()
        await asyncio.sleep(0)
