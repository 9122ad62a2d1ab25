"""Checks run side by side, and none longer than its bound."""

import asyncio
import contextlib
import threading
import time

import pytest

from gateway.doctor.clocks import Clocks
from gateway.doctor.findings import Finding, Level, ok, on_thread, run_checks


async def fine() -> list[Finding]:
    await asyncio.sleep(0.1)
    return [ok("fine", "all is well")]


async def hanging() -> list[Finding]:
    await asyncio.sleep(60)
    return []


async def stubborn() -> list[Finding]:
    """As a library that takes a cancellation for an answer."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.2)
    return []


async def broken() -> list[Finding]:
    raise RuntimeError("postgresql://user:hunter2@host")


async def test_they_run_side_by_side_and_end() -> None:
    began = time.monotonic()
    checks = {"a": hanging, "b": stubborn, "c": broken, **{str(n): fine for n in range(20)}}
    found = await run_checks(checks, 0.15)
    assert time.monotonic() - began < 1.0
    assert [one.check for one in found] == ["a", "b", "c", *["fine"] * 20]
    assert [one.level for one in found[:3]] == [Level.ERROR] * 3
    assert "0.15 s" in found[0].says
    assert "RuntimeError" in found[2].says
    assert "hunter2" not in str(found)
    assert all(one.mend for one in found[:3])
    await asyncio.sleep(0.4)  # The stubborn one ends by itself.


async def test_a_thread_that_hangs_is_left_behind() -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await on_thread(release.wait)
    release.set()
    assert await on_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await on_thread(lambda: 1 // 0)


def test_clocks_that_agree_are_one_line() -> None:
    clocks = Clocks()
    assert clocks.findings() == []
    clocks.note("a", 100.02, 100.0, 100.1)
    clocks.note("b", 99.8, 100.0, 100.4, verifies_tokens=True)
    (found,) = clocks.findings()
    assert (found.level, "2 agree" in found.says) == (Level.OK, True)


@pytest.mark.parametrize(
    ("theirs", "verifies", "level"),
    [
        (94.5, True, Level.ERROR),  # It refuses tokens of its future.
        (98.5, True, Level.WARNING),
        (101.5, True, Level.WARNING),
        (98.5, False, Level.WARNING),
        (99.3, True, Level.WARNING),
        (140.0, False, Level.ERROR),
        (60.0, False, Level.ERROR),
    ],
)
def test_a_clock_that_differs(theirs: float, verifies: bool, level: Level) -> None:  # noqa: FBT001
    clocks = Clocks()
    clocks.note("asr http://a", theirs, 100.0, 100.02, verifies_tokens=verifies)
    (found,) = clocks.findings()
    assert found.level is level
    assert ("behind" in found.says) is (theirs < 100)
    assert "NTP" in found.mend


def test_a_slow_answer_makes_no_clock_wrong() -> None:
    clocks = Clocks()
    clocks.note("far away", 100.0, 100.0, 104.0)
    assert [one.level for one in clocks.findings()] == [Level.OK]
