"""Batch throughput: many clients through the platform against bare engines on all cores.

`python -m tests.load.throughput [--clients 16] [--rounds 5]`

Rounds alternate, so that a machine whose speed drifts favours neither; the ratio counts. Exit
status 1 when it is below the goal.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from deploy.local.stack import Stack, StackOptions
from tests.support.recordings import SAMPLE_RATE, EngineAlone, Recording, recordings

GOAL = 0.95
REQUESTS_A_CLIENT = 2
TRANSCRIBE = "/api/v1/asr/transcribe"


def seconds_of(chosen: Sequence[Recording]) -> float:
    """Audio, in seconds."""
    return sum(len(one.samples()) for one in chosen) / SAMPLE_RATE


async def bare(engines: Sequence[EngineAlone], work: list[Recording]) -> float:
    """Audio seconds per second of engines that share the work, each in its own process."""
    left = iter(work)

    def run(engine: EngineAlone) -> None:
        for one in left:
            engine.transcribe(one.path)

    started = time.perf_counter()
    await asyncio.gather(*(asyncio.to_thread(run, engine) for engine in engines))
    return seconds_of(work) / (time.perf_counter() - started)


async def through(client: httpx.AsyncClient, clients: int, work: list[Recording]) -> float:
    """Audio seconds per second of the platform, with so many requests at once."""
    left = iter(work)

    async def run() -> None:
        for one in left:
            answer = await client.post(TRANSCRIBE, files={"file": one.path.read_bytes()})
            answer.raise_for_status()

    started = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(clients)))
    return seconds_of(work) / (time.perf_counter() - started)


async def measure(
    url: str, key: str, engines: Sequence[EngineAlone], clients: int, rounds: int
) -> float:
    """Print every round; the median ratio."""
    work = list(itertools.islice(itertools.cycle(recordings()), clients * REQUESTS_A_CLIENT))
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=clients)
    ratios = []
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=300, limits=limits, trust_env=False
    ) as client:
        await through(client, clients, work[:clients])
        await bare(engines, work[: len(engines)])
        for _ in range(rounds):
            before = await bare(engines, work)
            platform = await through(client, clients, work)
            after = await bare(engines, work)
            engine = (before + after) / 2
            ratios.append(platform / engine)
            print(
                f"engines {before:6.2f} and {after:6.2f}, platform {platform:6.2f}"
                f" audio s/s: {platform / engine:.3f} ×",
                flush=True,
            )
    return statistics.median(ratios)


def main() -> int:
    """Start a stack of its own, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"{options.clients} clients, {cores} bare engines, {REQUESTS_A_CLIENT} requests each")
    engines = [EngineAlone() for _ in range(cores)]
    try:
        with tempfile.TemporaryDirectory(prefix="speechgate-bench-") as folder:
            stack_options = StackOptions(kind="embedded", run_dir=Path(folder) / "run")
            with Stack(stack_options) as stack:
                ratio = asyncio.run(
                    measure(
                        stack.info.gateway_url,
                        stack.info.admin_key,
                        engines,
                        options.clients,
                        options.rounds,
                    )
                )
    finally:
        for engine in engines:
            engine.close()
    met = ratio >= GOAL
    print(f"median {ratio:.3f} × the engines (goal ≥ {GOAL}): {'ok' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
