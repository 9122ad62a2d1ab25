"""Where the gateway's processor time goes, by part of the code.

`python -m tests.load.profile [--top N]`

The shares are those of `cProfile`, whose own cost weighs on small functions; the total is measured
without it. System calls count for the part that makes them.
"""

import argparse
import cProfile
import os
import pstats
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from deploy.local.redis import RedisServer
from tests.load.closed_loop import ClosedLoop, closed_loop
from tests.load.contenders.speechgate import Speechgate
from tests.load.contenders.upstream import StaticUpstream
from tests.load.gateway import SMALL
from tests.load.machine import ROOT, Cores, Missing, ensure_installed, on_cores

_SECONDS = 5.0
_DUMP_TIMEOUT_S = 10.0


def serve(path: Path) -> None:
    """A gateway that profiles between SIGUSR1 and SIGUSR2, and then writes what it found."""
    from gateway import __main__ as program  # noqa: PLC0415 - only in the profiled process

    profile = cProfile.Profile()

    def dump(*_: object) -> None:
        profile.disable()
        profile.dump_stats(path.with_suffix(".partial"))
        path.with_suffix(".partial").replace(path)

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, dump)
    sys.argv = ["gateway"]
    program.main(
        "gateway",
        program.create_tuned_app,
        program.GatewaySettings,
        program.MIGRATIONS,
        program.HttpConnection,
    )


def part_of(file: str) -> str:
    """The folder that a function belongs to; a library's name outside the project."""
    path = Path(file)
    if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
        return "/".join(path.relative_to(ROOT).parts[:2]).removesuffix(".py")
    return "built-in functions, libraries"


def shares(stats: pstats.Stats) -> Counter[str]:
    """Seconds by part; what a part calls outside the project counts for the part."""
    found: Counter[str] = Counter()
    table: dict[tuple[str, int, str], tuple[int, int, float, float, dict[object, object]]]
    table = stats.stats  # type: ignore[attr-defined] # documented in the module's source only
    for (file, _, _), (_, _, own, _, callers) in table.items():
        part = part_of(file)
        if not part.startswith("built-in") or not callers:
            found[part] += own
            continue
        for (caller, _, _), timing in callers.items():  # type: ignore[misc]
            found[part_of(caller)] += timing[2]  # type: ignore[index]
    return found


def read_profile(path: Path) -> pstats.Stats:
    """What the gateway wrote."""
    deadline = time.monotonic() + _DUMP_TIMEOUT_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway wrote no profile")
        time.sleep(0.1)
    return pstats.Stats(str(path))


def main() -> None:
    """Load, profile, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.profile", description=__doc__)
    parser.add_argument("--top", type=int, default=0, help="also that many functions")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    cores = Cores.of_this_machine()
    os.sched_setaffinity(0, cores.rest)
    try:
        ensure_installed("wrk", "luajit", "redis-server")
    except Missing as missing:
        parser.exit(1, f"cannot measure; {missing}\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speechgate-bench-")))
        redis, upstream = RedisServer(folder / "redis"), StaticUpstream(folder / "upstream")
        for component in (redis, upstream):
            stack.callback(component.stop)
            component.start()
        found = folder / "profile"
        with on_cores(cores.contender):
            contender = Speechgate(folder / "speechgate", upstream.target.port, redis.url)
            contender.command = ["-m", "tests.load.profile", "--serve", str(found)]
            stack.callback(contender.stop)
            contender.start()

        def load() -> ClosedLoop:
            return closed_loop([contender.target], [contender.pid], SMALL, _SECONDS, folder)

        load()
        usual = load()
        os.kill(contender.pid, signal.SIGUSR1)
        load()
        os.kill(contender.pid, signal.SIGUSR2)
        stats = read_profile(found)
    total_us = 1e6 / usual.per_cpu_second
    by_part = shares(stats)
    everything = sum(by_part.values())
    print(f"{total_us:.0f} µs of processor time a request, of these")
    for part, seconds in by_part.most_common(16):
        print(f"{seconds / everything * total_us:8.1f}  {part}")
    if options.top:
        stats.sort_stats("tottime").print_stats(options.top)


if __name__ == "__main__":
    main()
