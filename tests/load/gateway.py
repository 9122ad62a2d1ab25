"""The gateway beside other proxies, interleaved in one run on one machine.

`python -m tests.load.gateway [--quick] [--only NAME,…] [--json FILE]`, or `make bench`.

Each contender is one process on a core of its own; load generator, upstream and Redis are on
the others. What counts is work per second of the contender's processor time, so that a machine
whose other core is the bottleneck, or whose speed drifts, favours none. Any answer but 200 ends
the benchmark.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.redis import RedisServer
from tests.load.closed_loop import CONNECTIONS, ClosedLoop, closed_loop
from tests.load.contenders.base import Contender, flush_redis
from tests.load.contenders.haproxy import HAProxy
from tests.load.contenders.litellm import LiteLLM
from tests.load.contenders.nginx import NEEDS, LuaNginx, PlainNginx
from tests.load.contenders.speechgate import Speechgate
from tests.load.contenders.upstream import StaticUpstream
from tests.load.machine import (
    Cores,
    Missing,
    cpu_seconds,
    ensure_installed,
    memory_mb,
    on_cores,
    others,
)
from tests.load.open_loop import open_loop
from tests.load.report import Results, goals, goals_text, table
from tests.load.standstill import Standstill, describe, standstills

SMALL = json.dumps({"audio": "x" * 187}).encode()
LARGE = json.dumps({"audio": "x" * 299_987}).encode()
# What the generator can hold on the core that it shares with upstream and Redis.
MAX_OPEN_RATE = 16_000.0
# A run of fewer requests than that says little: what is under way at its end is not counted.
_MIN_REQUESTS = 1_000


@dataclass(frozen=True)
class Plan:
    """How long a run takes: `longest_s` where that makes too few requests."""

    rounds: int
    small_s: float
    large_s: float
    longest_s: float
    open_s: float


FULL = Plan(rounds=9, small_s=3, large_s=2, longest_s=6, open_s=3)
QUICK = Plan(rounds=3, small_s=1, large_s=1, longest_s=3, open_s=1)


@dataclass
class Bench:
    """One run: where things are, and what stands between client and upstream."""

    folder: Path
    cores: Cores
    redis: RedisServer
    upstream: StaticUpstream
    plan: Plan

    def makers(self) -> dict[str, Callable[[], Contender]]:
        """All contenders by the name that `--only` takes."""
        port, folder = self.upstream.target.port, self.folder
        return {
            "speechgate": lambda: Speechgate(folder / "speechgate", port, self.redis.url),
            "lua": lambda: LuaNginx(folder / "lua", port, self.redis.port),
            "nginx": lambda: PlainNginx(folder / "nginx", port),
            "haproxy": lambda: HAProxy(folder / "haproxy", port),
            "litellm": lambda: LiteLLM(folder / "litellm", port),
        }

    def start(self, name: str, stack: ExitStack) -> Contender | None:
        """A started contender; None, after saying so, when it cannot be had."""
        try:
            with on_cores(self.cores.contender):
                contender = self.makers()[name]()
                stack.callback(contender.stop)
                contender.start()
        except Missing as missing:
            print(f"NOT MEASURED: {name}: to get it: {missing}")
            return None
        return contender

    def full_load(
        self, contender: Contender, body: bytes, runs: list[ClosedLoop], seconds: float
    ) -> None:
        """One more run at full load, longer where the last one made too few requests."""
        if runs:
            enough = min(self.plan.longest_s, _MIN_REQUESTS / runs[-1].rate)
            seconds = max(seconds, enough)
        # The log of a key grows with each request: every run begins with an empty one.
        flush_redis(self.redis.port)
        runs.append(closed_loop([contender.target], [contender.pid], body, seconds, self.folder))
        settle(contender.pid)

    def half_load(self, contender: Contender, results: Results) -> None:
        """One round at half of the rate just reached, and the upstream alone at the same.

        Half of what the machine let it do a minute ago may be more than all that it lets it do now.
        """
        rate, seconds = min(results.small[-1].rate / 2, MAX_OPEN_RATE), self.plan.open_s
        flush_redis(self.redis.port)
        results.direct.append(open_loop(self.upstream.target, SMALL, rate, seconds))
        results.half.append(open_loop(contender.target, SMALL, rate, seconds))
        settle(contender.pid)

    def warm_up(self, contender: Contender) -> None:
        """A first second that does not count."""
        for body in (SMALL, LARGE):
            closed_loop([contender.target], [contender.pid], body, 1, self.folder)
            settle(contender.pid)


def settle(pid: int) -> None:
    """Waits until a process has done what the load left behind."""
    deadline = time.monotonic() + 10
    busy = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(0.1)
        now = cpu_seconds(pid)
        if now - busy < 0.02:
            return
        busy = now


def measure(bench: Bench, names: list[str]) -> list[Results]:
    """All rounds of all contenders."""
    with ExitStack() as stack:
        started = [bench.start(name, stack) for name in names]
        pairs = [(each, Results(each.name)) for each in started if each is not None]
        for contender, _ in pairs:
            bench.warm_up(contender)
        for number in range(bench.plan.rounds):
            print(f"round {number + 1} of {bench.plan.rounds} …", flush=True)
            for contender, results in pairs:
                bench.full_load(contender, LARGE, results.large, bench.plan.large_s)
            for contender, results in pairs:
                bench.full_load(contender, SMALL, results.small, bench.plan.small_s)
                bench.half_load(contender, results)
        for contender, results in pairs:
            results.memory = memory_mb(contender.pid)
        return [results for _, results in pairs]


def notes(
    all_results: list[Results], cores: Cores, disturbed: float, still: list[Standstill]
) -> str:
    """What a reader has to know of the figures."""
    late = max((run.late_p99 for results in all_results for run in results.half), default=0.0)
    return f"""Machine: {cores.describe()}.
Full load: closed loop, {CONNECTIONS} connections. Half load: open loop over as many, at half of the
rate that each one reached just before, but at most {MAX_OPEN_RATE:,.0f} requests/s; latency counts
from the set time. Ratios are the middle ones of all rounds, each of two runs of one round.
speechgate: key, three windows in Redis, flags, metrics, request id, trace header, access log.
nginx + Lua: key, the same windows, request id, access log. nginx: request id, access log.
HAProxy: nothing. LiteLLM: its master key, pass-through, no database.
The generator was late by {late * 1000:.2f} ms at most (p99); other programs took {disturbed:.1%}
of the machine's processor time: above 2 % the latencies say little. Before the run the cores
did nothing for a process that wanted them: {describe(still)}."""


def main() -> int:
    """Measure, print, say whether the goals are met: 1 when one is not."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about one minute")
    parser.add_argument("--only", default="", help="speechgate,lua,nginx,haproxy,litellm")
    parser.add_argument("--json", type=Path, help="also write every run there")
    options = parser.parse_args()
    cores = Cores.of_this_machine()
    os.sched_setaffinity(0, cores.rest)
    try:
        ensure_installed("wrk", "luajit", *NEEDS, "haproxy", "redis-server")
    except Missing as missing:
        parser.exit(1, f"cannot measure; {missing}\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speechgate-bench-")))
        redis, upstream = RedisServer(folder / "redis"), StaticUpstream(folder / "upstream")
        for component in (redis, upstream):
            stack.callback(component.stop)
            component.start()
        plan = QUICK if options.quick else FULL
        bench = Bench(folder, cores, redis, upstream, plan)
        names = [name for name in options.only.split(",") if name] or list(bench.makers())
        still = standstills(sorted(cores.contender | cores.rest))
        with others() as share:
            all_results = measure(bench, names)
    print(f"\n{table(all_results, len(SMALL), len(LARGE))}\n")
    print(f"{notes(all_results, cores, share(), still)}\n")
    reached = goals(all_results, len(LARGE))
    print(f"Goals:\n{goals_text(reached)}")
    if options.json:
        found = {"machine": cores.describe(), "contenders": [asdict(each) for each in all_results]}
        options.json.write_text(json.dumps(found, indent=1))
    return int(not all(held for *_, held in reached))


if __name__ == "__main__":
    sys.exit(main())
