"""Whether gateway processes side by side cost each other anything.

`python -m tests.load.workers [--workers N]`, or `make bench`.

Workers share Redis and the database, which no request waits for, and nothing else: here each has a
database of its own. Where the machine has a core for each of them beside two for the load, the
throughput of N is compared with that of one.

On smaller machines they share the contender's core, and what is compared is requests per second of
processor time: once with those of one worker alone, which also counts what it costs to share a
core, and once with those of as many strangers, each with a Redis of its own, which share it in the
same way. The second is what the goal is held against.

Each has as many clients as the one alone: with half of them a worker does less at a time, and alone
reaches 0.93 of it, too. A machine's speed drifts: all of them are compared with the mean of what is
measured just before and just after.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from deploy.local.redis import RedisServer
from tests.load.closed_loop import CONNECTIONS, closed_loop
from tests.load.contenders.base import flush_redis
from tests.load.contenders.speechgate import Speechgate
from tests.load.contenders.upstream import StaticUpstream
from tests.load.gateway import SMALL
from tests.load.machine import Cores, Missing, ensure_installed, on_cores

_GOAL = 0.9
_ROUNDS, _SECONDS = 15, 3.0
_CORES_FOR_LOAD = 2


def main() -> int:
    """Measure in turn one worker and all of them, and print the ratio."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.workers", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    number = parser.parse_args().workers
    available = sorted(os.sched_getaffinity(0))
    spread = len(available) >= number + _CORES_FOR_LOAD
    cores = Cores.of_this_machine()
    homes = [frozenset({core}) for core in available[:number]] if spread else None
    os.sched_setaffinity(0, available[number:] if spread else cores.rest)
    try:
        ensure_installed("wrk", "luajit", "redis-server")
    except Missing as missing:
        parser.exit(1, f"cannot measure; {missing}\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speechgate-bench-")))
        upstream = StaticUpstream(folder / "upstream")
        stack.callback(upstream.stop)
        upstream.start()

        def redis(name: str) -> RedisServer:
            server = RedisServer(folder / name)
            stack.callback(server.stop)
            server.start()
            return server

        def worker(name: str, home: frozenset[int], server: RedisServer) -> Speechgate:
            with on_cores(home):
                started = Speechgate(folder / name, upstream.target.port, server.url)
                stack.callback(started.stop)
                started.start()
            return started

        shared = redis("redis")
        homes = [frozenset({core}) for core in available] if spread else [cores.contender] * number
        workers = [worker(f"worker{each}", homes[each], shared) for each in range(number)]
        servers = [shared]

        def measure(used: Sequence[Speechgate]) -> float:
            for server in servers:
                flush_redis(server.port)
            targets, pids = [each.target for each in used], [each.pid for each in used]
            clients = CONNECTIONS * len(used)
            found = closed_loop(targets, pids, SMALL, _SECONDS, folder, connections=clients)
            return found.rate / len(used) if spread else found.per_cpu_second

        print(f"{number} workers on {len(available)} cores")
        ratio = compare(lambda: measure(workers), lambda: measure(workers[:1]))
        report(ratio, "throughput of one, times their number" if spread else "one alone")
        if not spread:
            own = [redis(f"redis{each}") for each in range(1, number)]
            servers += own
            strangers = [worker(f"stranger{s.port}", cores.contender, s) for s in own]
            strangers.insert(0, workers[0])
            ratio = compare(lambda: measure(workers), lambda: measure(strangers))
            report(ratio, f"{number} strangers")
    print(f"  {'OK   ' if ratio >= _GOAL else 'BELOW'} (goal ≥ {_GOAL})")
    return int(ratio < _GOAL)


def compare(one: Callable[[], float], other: Callable[[], float]) -> float:
    """Median ratio of the first to the second, measured in turn."""
    one()
    before, ratios = other(), []
    for _ in range(_ROUNDS):
        middle, after = one(), other()
        ratios.append(middle / statistics.fmean((before, after)))
        before = after
    return statistics.median(ratios)


def report(ratio: float, what: str) -> None:
    """One line."""
    print(f"  {ratio:.2f} × {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
