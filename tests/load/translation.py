"""Translation of 1,000 sentences: one request to the platform against bare engines on all cores.

`python -m tests.load.translation [--rounds 100]`

Bare are the engine's own modules, in as many processes as Triton has instances, with the sentences
dealt out before the clock starts: once all at a time, and once at most as many as a model may get
in a batch. The first ratio has both what the bound on batches costs and what the platform adds, and
is held against the goal; the second has only what it adds. Every run on the platform is between two
of the engines, so that a machine whose speed drifts favours none; on two cores its ratio still
scatters by a tenth, which a hundred rounds bring down to a hundredth. Exit status 1 when the ratio
is below the goal, a translation is not the engine's, in its place, or the batches are small.
The same page as HTML with placeholders is measured besides; each of its tags and placeholders must
be there once.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from deploy.local.stack import Stack, StackOptions
from services.nlp.inference.nmt import MAX_BATCH
from shared.text.sentences import split_sentences

GOAL = 0.9
GOAL_BATCH = 40
SENTENCES = 1_000
_TEXTS = 25
_PAGES = 5
_SUPPORT = Path(__file__).resolve().parents[1] / "support"
_LONGEST = 60
"""So that all of them fit into one request."""
PATH = "/api/v1/nmt/inference"


class Bare:
    """The engine in a process of its own."""

    def __init__(self) -> None:
        interpreter = Path(__file__).resolve().parents[2] / ".venv-triton" / "bin" / "python"
        self._process = subprocess.Popen(
            [interpreter, _SUPPORT / "nmt_alone.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the engine's process ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def translate(self, texts: Sequence[str], batch: int) -> list[str]:
        """English to Spanish, so many texts at a time."""
        assert self._process.stdin is not None
        task = {"pair": "en-es", "texts": list(texts), "batch": batch}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        found: list[str] = self._read()["texts"]
        return found

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def sentences() -> list[str]:
    """Distinct ones, of real prose."""
    prose = (_SUPPORT / "prose.txt").read_text().splitlines()[1:]
    short = [
        sentence
        for line in prose
        for sentence in split_sentences(line)[1::2]
        if len(sentence) <= _LONGEST and sentence.endswith((".", "?", "!"))
    ]
    numbered = (f"House {number}: {text}" for number, text in enumerate(itertools.cycle(short)))
    return list(itertools.islice(numbered, SENTENCES))


async def bare(
    engines: Sequence[Bare], work: Sequence[str], batch: int = SENTENCES
) -> tuple[float, list[str]]:
    """Sentences a second of engines that share the work, and the translations."""
    size = -(-len(work) // len(engines))
    shares = [work[start : start + size] for start in range(0, len(work), size)]
    started = time.perf_counter()
    found = await asyncio.gather(
        *(
            asyncio.to_thread(engine.translate, share, batch)
            for engine, share in zip(engines, shares, strict=True)
        )
    )
    rate = len(work) / (time.perf_counter() - started)
    return rate, [text for share in found for text in share]


async def through(
    client: httpx.AsyncClient, texts: Sequence[str], count: int, **config: str
) -> tuple[float, list[str]]:
    """Sentences a second of one request, and the translated texts."""
    language = {"sourceLanguage": "en", "targetLanguage": "es"}
    body = {
        "input": [{"source": text} for text in texts],
        "config": {"language": language, **config},
    }
    started = time.perf_counter()
    answer = await client.post(PATH, json=body)
    seconds = time.perf_counter() - started
    answer.raise_for_status()
    return count / seconds, [item["target"] for item in answer.json()["output"]]


def packed(work: Sequence[str], glue: str = "\n") -> list[str]:
    """The sentences in few texts, a line each."""
    size = -(-len(work) // _TEXTS)
    return [glue.join(work[start : start + size]) for start in range(0, len(work), size)]


def page(work: Sequence[str]) -> list[str]:
    """The sentences in HTML, every fourth with a tag and a placeholder inside."""
    marked = [
        f"<p>{text.replace(': ', ' <b>of</b> {name}: ', 1) if number % 4 == 0 else text}</p>"
        for number, text in enumerate(work)
    ]
    return packed(marked)


async def batch_size(url: str) -> float:
    """Sentences in a call to the engine, on average since the service began."""
    async with httpx.AsyncClient(trust_env=False) as client:
        lines = (await client.get(f"{url}/metrics")).text.splitlines()
    total, count = (
        float(line.rpartition(" ")[2])
        for name in ("sum", "count")
        for line in lines
        if line.startswith(f'speechgate_nlp_batch_size_{name}{{task="translation"}}')
    )
    return total / count


async def in_turn(
    platform: Callable[[], Awaitable[float]], engines: Callable[[], Awaitable[float]], rounds: int
) -> float:
    """Median ratio of a run on the platform to those of engines just before and just after it."""
    await platform()
    before, ratios = await engines(), []
    for _ in range(rounds):
        through, after = await platform(), await engines()
        around = statistics.fmean((before, after))
        ratios.append(through / around)
        before = after
        print(f"  engines {around:5.0f}, platform {through:5.0f}: {ratios[-1]:.3f} ×", flush=True)
    return statistics.median(ratios)


async def measure(
    url: str, key: str, engines: Sequence[Bare], rounds: int
) -> tuple[float, float, bool]:
    """Print every round, in sentences a second.

    Returns:
        Median ratio to the engines with all sentences at once, the one to the engines in batches,
        and whether all translations were the engine's.
    """
    work = sentences()
    texts, html = packed(work), page(work)
    headers = {"Authorization": f"Bearer {key}"}
    expected = (await bare(engines, work))[1]
    same = True
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=120, trust_env=False
    ) as client:

        async def platform() -> float:
            nonlocal same
            rate, found = await through(client, texts, SENTENCES)
            same &= [line for text in found for line in text.split("\n")] == expected
            return rate

        async def alone(batch: int) -> float:
            return (await bare(engines, work, batch))[0]

        print("engines with all sentences at once:")
        at_once = await in_turn(platform, partial(alone, SENTENCES), rounds)
        print(f"engines in batches of {MAX_BATCH}:")
        in_batches = await in_turn(platform, partial(alone, MAX_BATCH), max(rounds // 4, 1))
        rates = []
        for _ in range(_PAGES):
            rate, pages = await through(client, html, SENTENCES, format="html")
            rates.append(rate)
            same &= all(
                one.count(mark) == other.count(mark)
                for one, other in zip(html, pages, strict=True)
                for mark in ("{name}", "<b>", "</b>", "<p>", "</p>")
            )
        print(f"as HTML with placeholders: {statistics.median(rates):.0f}")
    return at_once, in_batches, same


def main() -> int:
    """Start a stack of its own, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"{SENTENCES} sentences in {_TEXTS} texts, {cores} bare engines")
    engines = [Bare() for _ in range(cores)]
    try:
        with tempfile.TemporaryDirectory(prefix="speechgate-bench-") as folder:
            stack_options = StackOptions(kind="embedded", run_dir=Path(folder) / "run")
            with Stack(stack_options) as stack:
                info = stack.info
                ratio, in_batches, same = asyncio.run(
                    measure(info.gateway_url, info.admin_key, engines, options.rounds)
                )
                batch = asyncio.run(batch_size(info.services["nlp"][0]))
    finally:
        for engine in engines:
            engine.close()
    met = ratio >= GOAL and batch >= GOAL_BATCH
    print(
        f"median {ratio:.3f} × the engines with all sentences at once (goal ≥ {GOAL}):"
        f" {'ok' if ratio >= GOAL else 'MISSED'}"
    )
    print(f"median {in_batches:.3f} × the engines in batches of {MAX_BATCH}")
    print(f"{batch:.0f} sentences a batch (goal ≥ {GOAL_BATCH})")
    print(f"every translation the engine's, in its place: {'yes' if same else 'NO'}")
    return 0 if met and same else 1


if __name__ == "__main__":
    sys.exit(main())
