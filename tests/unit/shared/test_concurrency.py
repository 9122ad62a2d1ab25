import asyncio

import pytest

from shared.concurrency import Bulkhead, map_bounded
from shared.failures import failure_code, recording_failure
from shared.problem import BadRequest, Unavailable


async def test_results_are_in_order_and_the_bound_holds() -> None:
    running = most = 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):  # The first ones end last.
            await asyncio.sleep(0)
        running -= 1
        return number * 2

    assert await map_bounded(work, range(10), 3) == [number * 2 for number in range(10)]
    assert most == 3
    assert await map_bounded(work, [], 3) == []


async def test_the_first_failure_cancels_the_rest() -> None:
    cancelled: list[int] = []

    async def work(number: int) -> None:
        if number == 1:
            raise BadRequest("wrong", code="wrong")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    with pytest.raises(BadRequest):
        await map_bounded(work, [0, 1, 2, 3], 3)
    assert sorted(cancelled) == [0, 2]  # And 3 never began.


async def test_cancelling_the_caller_cancels_the_work() -> None:
    started = asyncio.Event()

    async def work(_: int) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(map_bounded(work, [1, 2], 2))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_full_bulkhead_refuses_and_an_empty_one_admits_anything() -> None:
    bulkhead = Bulkhead(10)
    with bulkhead.admit(50), pytest.raises(Unavailable) as refused, bulkhead.admit(1):
        pass
    assert refused.value.code == "overloaded"
    assert refused.value.headers["Retry-After"] == "1"
    with bulkhead.admit(6), bulkhead.admit(4):
        pass
    with bulkhead.admit(10):
        pass


async def test_failures_are_recorded_and_go_on() -> None:
    codes: list[str] = []

    async def save(code: str) -> None:
        codes.append(code)

    async def lost(_: str) -> None:
        raise Unavailable("disk full")

    for error in (BadRequest("x", code="why"), asyncio.CancelledError(), ZeroDivisionError()):
        with pytest.raises(type(error)):
            async with recording_failure(save):
                raise error
    assert codes == ["why", "client_disconnected", "internal_error"]
    with pytest.raises(ZeroDivisionError):
        async with recording_failure(lost):
            raise ZeroDivisionError
    assert failure_code(ZeroDivisionError()) == "internal_error"
