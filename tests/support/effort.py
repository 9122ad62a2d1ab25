"""How much work a call is: processor time of this process, the least of a few runs.

Others run beside it, and a cache may be cold: a single run says little.
"""

import time
from collections.abc import Callable

_RUNS = 5
STEP = 8
LINEAR = 24.0
"""Between what `STEP` times the size costs where work is linear (8) and quadratic (64)."""


def least_seconds(work: Callable[[], object], enough: float) -> float:
    """Of the quickest run; no more runs than it takes to be below `enough`."""
    least = float("inf")
    for _ in range(_RUNS):
        least = min(least, _seconds(work))
        if least < enough:
            break
    return least


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times as much work `STEP` times the size is; compare it with `LINEAR`."""
    short = long = float("inf")
    for _ in range(_RUNS):
        short = min(short, _seconds(lambda: work(size)))
        long = min(long, _seconds(lambda: work(STEP * size)))
        if long < LINEAR * short:
            break
    return long / short


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
