"""How long a core does nothing for a process that wants it: hypervisor, kernel, other programs.

A request that comes meanwhile waits, and the ones behind it, until what has gathered is done. What
the best program can reach here is seen from it.
"""

import multiprocessing
import os
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_SECONDS = 5.0
_GAP_NS = 300_000
_GRACE_S = 30.0


@dataclass(frozen=True)
class Standstill:
    """What one core did.

    Attributes:
        core: Its number.
        share: Of the time, in gaps of 0.3 ms and more.
        longest_ms: The longest gap.
    """

    core: int
    share: float
    longest_ms: float


def _watch(core: int) -> Standstill:
    os.sched_setaffinity(0, {core})
    total = longest = 0
    now = time.perf_counter_ns()
    end = now + int(_SECONDS * 1e9)
    while now < end:
        before, now = now, time.perf_counter_ns()
        gap = now - before
        if gap > _GAP_NS:
            total, longest = total + gap, max(longest, gap)
    return Standstill(core, total / (_SECONDS * 1e9), longest / 1e6)


def standstills(cores: Collection[int]) -> list[Standstill]:
    """Keeps all cores busy for five seconds, and looks at the clock meanwhile.

    All at once: on one that is idle, others would do their work unseen.
    """
    with multiprocessing.get_context("spawn").Pool(len(cores)) as pool:
        return pool.map_async(_watch, cores, chunksize=1).get(_SECONDS + _GRACE_S)


def describe(found: Iterable[Standstill]) -> str:
    """One line for the report."""
    return "; ".join(
        f"core {each.core} {each.share:.1%} of the time, {each.longest_ms:.1f} ms at most"
        for each in found
    )
