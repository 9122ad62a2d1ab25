"""10,000 slow connections against the gateway while a normal client goes on.

`python -m tests.load.slowloris [--connections N]`, part of `make drill`.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import httpx

from deploy.local.redis import RedisServer
from tests.integration.gateway.harness import ROOT, bearer, make_upstream
from tests.load.contenders.base import PATH
from tests.load.contenders.speechgate import install, make_key
from tests.support.slowloris import raise_file_limit

REQUESTS = 2_000
ATTACK_S = 30.0
GOAL_OK = 0.999
GOAL_GONE_S = 15.0
MIN_OPENED = 0.9
_NORMAL_S = 20.0
_FILES_BESIDES = 1_000


def normal_client(url: str, key: str) -> tuple[Counter[str], list[float], float]:
    """2,000 requests, spread over the time of the attack; statuses, latencies, seconds."""
    statuses: Counter[str] = Counter()
    latencies: list[float] = []

    async def run() -> None:
        limits = httpx.Limits(max_connections=16)
        async with httpx.AsyncClient(
            base_url=url, headers=bearer(key), timeout=10, limits=limits, trust_env=False
        ) as client:

            async def one(at: float) -> None:
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                try:
                    answer = await client.post(PATH, json={"audio": "x"})
                    statuses[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    statuses[type(error).__name__] += 1
                latencies.append(time.monotonic() - at)

            start, step = time.monotonic(), _NORMAL_S / REQUESTS
            await asyncio.gather(*(one(start + number * step) for number in range(REQUESTS)))

    started = time.monotonic()
    asyncio.run(run())
    return statuses, sorted(latencies), time.monotonic() - started


def drill(connections: int, folder: Path) -> bool:
    """Runs it and prints the figures; whether the goals hold."""
    with ExitStack() as stack:
        upstream, redis = make_upstream(folder), RedisServer(folder / "redis")
        for component in (upstream, redis):
            stack.callback(component.stop)
            component.start()
        installation = install(folder, upstream.url, redis.url)
        gateway = installation.gateway(min_body_rate="512", head_timeout_s="10")
        stack.callback(gateway.stop, signal.SIGKILL)
        gateway.start()
        key = make_key(installation)
        attack = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.slowloris", str(gateway.port)),
                *("--connections", str(connections), "--seconds", str(ATTACK_S), "--key", key),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        stack.callback(attack.kill)
        time.sleep(2.0)  # Most of them are connected then.
        statuses, latencies, took = normal_client(gateway.url, key)
        out, _ = attack.communicate(timeout=ATTACK_S + 30)
    return _report(connections, statuses, latencies, took, json.loads(out))


def _report(
    connections: int,
    statuses: Counter[str],
    latencies: list[float],
    took: float,
    slow: dict[str, dict[str, object]],
) -> bool:
    for kind, found in slow.items():
        print(
            f"slow {kind:7} opened {found['opened']:>6}  refused at once {found['refused']:>6}"
            f"  closed after {found['median_s']:>5} s (median), {found['longest_s']:>5} s (longest)"
            f"  left {found['left']:>6}  answers {found['answers']}"
        )
    good = statuses["200"] / sum(statuses.values())
    print(
        f"normal client: {sum(statuses.values())} requests in {took:.1f} s, {dict(statuses)}, "
        f"p50 {latencies[len(latencies) // 2] * 1000:.1f} ms, "
        f"p99 {latencies[int(len(latencies) * 0.99)] * 1000:.1f} ms"
    )
    longest = max(float(str(found["longest_s"])) for found in slow.values())
    left = sum(int(str(found["left"])) for found in slow.values())
    opened = sum(int(str(found["opened"])) for found in slow.values())
    served, gone = good >= GOAL_OK, left == 0 and 0 < longest <= GOAL_GONE_S
    print(f"  {'OK  ' if served else 'FAIL'} normal requests OK: {good:.2%} (goal ≥ {GOAL_OK:.1%})")
    print(
        f"  {'OK  ' if gone else 'FAIL'} slow connections gone: longest {longest} s, {left} left"
        f" (goal ≤ {GOAL_GONE_S:.0f} s)"
    )
    enough = opened >= MIN_OPENED * connections
    if not enough:
        print(f"  FAIL only {opened} of {connections} slow connections came about")
    return served and gone and enough


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.slowloris", description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    options = parser.parse_args()
    try:
        # Before anything is started: the gateway inherits the limit.
        raise_file_limit(options.connections + _FILES_BESIDES)
    except RuntimeError as error:
        parser.exit(1, f"cannot run: {error}\n")
    with tempfile.TemporaryDirectory(prefix="speechgate-drill-") as folder:
        sys.exit(0 if drill(options.connections, Path(folder)) else 1)


if __name__ == "__main__":
    main()
