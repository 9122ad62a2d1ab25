"""Whether gateway processes side by side cost each other anything.

`python -m tests.load.workers [--workers N]`, or `make bench`.

Workers share Redis and the database and nothing else. Where the machine has a core for each of them
beside two for the load, the throughput of N is compared with that of one. On smaller machines they
share the contender's core: then what is compared is requests per second of processor time. Each has
as many clients as the one alone: with half of them a worker does less at a time, and alone reaches
0.93 of it, too.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from deploy.local.redis import RedisServer
from tests.load.closed_loop import CONNECTIONS, ClosedLoop, closed_loop
from tests.load.contenders.base import flush_redis
from tests.load.contenders.speechgate import Speechgate
from tests.load.contenders.upstream import StaticUpstream
from tests.load.gateway import SMALL
from tests.load.machine import Cores, Missing, ensure_installed, on_cores

_GOAL = 0.9
_ROUNDS, _SECONDS = 9, 3.0
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
        redis, upstream = RedisServer(folder / "redis"), StaticUpstream(folder / "upstream")
        for component in (redis, upstream):
            stack.callback(component.stop)
            component.start()
        workers = []
        for each in range(number):
            with on_cores(homes[each] if homes else cores.contender):
                worker = Speechgate(folder / f"worker{each}", upstream.target.port, redis.url)
                stack.callback(worker.stop)
                worker.start()
            workers.append(worker)

        def measure(count: int) -> ClosedLoop:
            flush_redis(redis.port)
            used = workers[:count]
            targets, pids = [each.target for each in used], [each.pid for each in used]
            clients = CONNECTIONS * count
            return closed_loop(targets, pids, SMALL, _SECONDS, folder, connections=clients)

        measure(number)
        ratios = []
        for _ in range(_ROUNDS):
            one, all_of_them = measure(1), measure(number)
            if spread:
                ratios.append(all_of_them.rate / one.rate / number)
            else:
                ratios.append(all_of_them.per_cpu_second / one.per_cpu_second)
    ratio = sorted(ratios)[len(ratios) // 2]
    what = "throughput of one, times their number" if spread else "requests per CPU-second of one"
    print(f"{number} workers on {len(available)} cores: {ratio:.2f} × the {what}")
    print(f"  {'OK   ' if ratio >= _GOAL else 'BELOW'} (goal ≥ {_GOAL})")
    return int(ratio < _GOAL)


if __name__ == "__main__":
    sys.exit(main())
