"""What work costs: processor time, memory and storage of each component, for sizing.

`python -m tests.load.capacity [--seconds S] [--clients N]`

Runs the full stack on this machine, with as many clients as it takes to keep the engines busy, and
divides what each component used by what was done. Nothing is judged: the figures are for
docs/operations/capacity.md. Processor time counts, so that a slow minute of the machine changes
little but the requests a second.
"""

import argparse
import asyncio
import base64
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from deploy.local.stack import Stack, StackOptions
from shared.db.engine import create_engine
from tests.load.machine import cpu_seconds, memory_mb, others
from tests.support.recordings import SAMPLE_RATE, recordings

SENTENCE = "The weather in the mountains changed quickly, so we decided to go home before night. "
_LEAST_SHARE = 0.005
_LANGUAGE = {"sourceLanguage": "en"}


@dataclass(frozen=True)
class Work:
    """One kind of request.

    Attributes:
        name: As printed.
        path: Of the request.
        body: Of the request.
        amount: How much one request is, in `unit`.
        unit: Of the amount.
        deployable: Whose database takes the result.
    """

    name: str
    path: str
    body: dict[str, Any]
    amount: float
    unit: str
    deployable: str


def kinds() -> list[Work]:
    """A recording of ten seconds, a paragraph to be spoken, ten sentences to be translated."""
    spoken = recordings()[0]
    audio = base64.b64encode(spoken.path.read_bytes()).decode()
    english = {"language": _LANGUAGE}
    return [
        Work(
            "recognition",
            "/api/v1/asr/inference",
            {"audio": [{"audioContent": audio}], "config": english},
            len(spoken.samples()) / SAMPLE_RATE,
            "s of audio",
            "asr",
        ),
        Work(
            "synthesis",
            "/api/v1/tts/inference",
            {"input": [{"source": SENTENCE * 6}], "config": {**english, "gender": "female"}},
            len(SENTENCE) * 6,
            "characters",
            "tts",
        ),
        Work(
            "translation",
            "/api/v1/nmt/inference",
            {
                "input": [{"source": SENTENCE}] * 10,
                "config": {"language": {**_LANGUAGE, "targetLanguage": "es"}},
            },
            10,
            "sentences",
            "nlp",
        ),
    ]


async def load(client: httpx.AsyncClient, work: Work, clients: int, seconds: float) -> int:
    """Requests that were answered in the time, with so many at once."""
    until, answered = time.monotonic() + seconds, 0

    async def ask() -> None:
        nonlocal answered
        while time.monotonic() < until:
            # Texts that differ: what was said once may be in a cache.
            response = await client.post(work.path, json=_varied(work.body, answered))
            response.raise_for_status()
            answered += 1

    await asyncio.gather(*(ask() for _ in range(clients)))
    return answered


def _varied(body: dict[str, Any], number: int) -> dict[str, Any]:
    if "input" not in body:
        return body
    return {**body, "input": [{"source": f"{number} {one['source']}"} for one in body["input"]]}


def kind_of(process: str) -> str:
    """The component of a process: `asr-2` is one of `asr`."""
    return process.partition("-")[0]


def used(stack: Stack) -> Counter[str]:
    """Processor seconds of each component so far."""
    found: Counter[str] = Counter()
    for name, pid in stack.info.pids.items():
        found[kind_of(name)] += cpu_seconds(pid)
    return found


async def stored(stack: Stack, deployable: str) -> int:
    """Bytes of a deployable's database."""
    engine = create_engine(stack.info.databases[deployable], pool_size=1)
    try:
        async with engine.connect() as connection:
            size = await connection.scalar(text("SELECT pg_database_size(current_database())"))
            return int(size or 0)
    finally:
        await engine.dispose()


async def measure(stack: Stack, key: str, clients: int, seconds: float) -> None:
    """Print what each kind of work costs, then what the components hold."""
    for work in kinds():
        before_bytes, before = await stored(stack, work.deployable), used(stack)
        began = time.monotonic()
        with others() as elsewhere:
            answered = await _run(stack, key, work, clients, seconds)
        took, spent = time.monotonic() - began, used(stack) - before
        grown = await stored(stack, work.deployable) - before_bytes
        amount, total = answered * work.amount, sum(spent.values())
        print(
            f"\n{work.name}: {answered} requests of {work.amount:.1f} {work.unit} in {took:.0f} s,"
            f" {amount / took:.1f} {work.unit}/s; other programs took {elsewhere():.0%}"
        )
        print(f"  {amount / total:.1f} {work.unit} per processor second of the whole platform")
        for component, cpu in spent.most_common():
            if cpu / total >= 0.005:
                print(
                    f"  {component:10} {cpu / answered * 1000:8.1f} ms a request {cpu / total:6.1%}"
                )
        print(f"  {grown / answered:,.0f} bytes of database a request")
    print("\nmemory after it (proportional), MB")
    for component, size in sorted(_memory(stack.info.pids.items())):
        print(f"  {component:14} {size:7.0f}")


async def _run(stack: Stack, key: str, work: Work, clients: int, seconds: float) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=stack.info.gateway_url, headers=headers, timeout=120, trust_env=False
    ) as client:
        return await load(client, work, clients, seconds)


def _memory(pids: Iterable[tuple[str, int]]) -> Iterable[tuple[str, float]]:
    return [(name, memory_mb(pid)[1]) for name, pid in pids]


def main() -> None:
    """Start a stack of its own, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="speechgate-bench-") as folder,
        Stack(StackOptions(kind="full", run_dir=Path(folder) / "run")) as stack,
    ):
        key = Path(stack.info.admin_key_file).read_text().strip()
        asyncio.run(measure(stack, key, options.clients, options.seconds))


if __name__ == "__main__":
    main()
