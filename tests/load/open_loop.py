"""Open loop: requests leave at set times, whether or not the ones before were answered.

Latency counts from the time at which a request was to leave, so that an answer that is late
does not hide the ones that wait behind it (coordinated omission). The clients are those of the
closed loop: a request that finds all of their connections busy waits for one, and its waiting
counts. A generator that opens more instead, up to 512, measures another load as soon as anything
stands still for some milliseconds: ten times the clients, who each have to be let in first.

Above 2,000 requests a second some leave together. The generator shares its core with the upstream
and Redis, which keep up with a burst only if it takes little of that core: it is a script for
LuaJIT (`open_loop.lua`), which took 22 µs of processor time a request where Python took 27, most of
it the kernel's.
"""

import subprocess
import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path

from tests.load.closed_loop import CONNECTIONS, BenchError
from tests.load.contenders.base import Target

WARM_UP_S = 0.5
_GRACE_S = 10.0
_SCRIPT = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True)
class OpenLoop:
    """What one run measured, in seconds.

    Attributes:
        rate: Requests per second.
        p50: Latency from the set time.
        p99: Likewise.
        longest: Likewise.
        late_p99: How late requests left: the generator itself, or no connection was free.
    """

    rate: float
    p50: float
    p99: float
    longest: float
    late_p99: float


def quantile(ordered: list[int], share: float) -> int:
    """A value of a sorted list."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def open_loop(target: Target, body: bytes, rate: float, seconds: float) -> OpenLoop:
    """Measures latency at a fixed rate.

    Raises:
        BenchError: An answer failed, or the rate could not be held.
    """
    with tempfile.TemporaryDirectory(prefix="speechgate-open-") as folder:
        request, found = Path(folder) / "request", Path(folder) / "found"
        request.write_bytes(target.encode(body))
        numbers = (rate, seconds, WARM_UP_S, _GRACE_S, CONNECTIONS)
        command = ["luajit", _SCRIPT, str(target.port), request, *map(str, numbers), found]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + 60, check=False
        )
        if done.returncode != 0:
            raise BenchError(f"{target.url} at {rate:.0f} requests/s: {done.stderr.strip()}")
        times = array("q", found.read_bytes())
    intended, left, answered = times[::3], times[1::3], times[2::3]
    latencies = sorted(end - start for start, end in zip(intended, answered, strict=True))
    late = sorted(end - start for start, end in zip(intended, left, strict=True))
    return OpenLoop(
        rate=rate,
        p50=quantile(latencies, 0.5) / 1e9,
        p99=quantile(latencies, 0.99) / 1e9,
        longest=latencies[-1] / 1e9,
        late_p99=quantile(late, 0.99) / 1e9,
    )
