"""What the platform adds to the ASR engine, side by side in one run.

`python -m tests.load.overhead`, or `make bench`.

About ten seconds of real speech are recognized in turn by the engine alone in one process and
through gateway, service and Triton; then one client's throughput is compared with two clients'.
Rounds alternate, so that a machine whose speed drifts favours neither. Ratios are what counts.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np

from deploy.local.stack import Stack, StackOptions
from tests.support.recordings import SAMPLE_RATE, EngineAlone, recordings, write_wav

ROUNDS = 9
SCALING_ROUNDS = 4
REQUESTS_A_CLIENT = 6
GOAL_OVERHEAD = 1.10
GOAL_SCALING = 1.7


async def transcribe(client: httpx.AsyncClient, wav: bytes) -> dict[str, object]:
    """One request; its answer."""
    answer = await client.post(
        "/api/v1/asr/transcribe", files={"file": ("speech.wav", wav)}, data={"language": "en"}
    )
    answer.raise_for_status()
    document: dict[str, object] = answer.json()
    return document


async def throughput(client: httpx.AsyncClient, wav: bytes, clients: int) -> float:
    """Requests per second with so many clients, each sending one after the other."""
    left = clients * REQUESTS_A_CLIENT

    async def one() -> None:
        nonlocal left
        while left:  # Shared, so that none works alone while the other is done already.
            left -= 1
            await transcribe(client, wav)

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return clients * REQUESTS_A_CLIENT / (time.perf_counter() - started)


async def engine_throughput(wav: Path, engines: Sequence[EngineAlone]) -> float:
    """Recordings per second of bare engines, each in its process, at work at once."""
    count = REQUESTS_A_CLIENT // 2

    def repeat(engine: EngineAlone) -> None:
        for _ in range(count):
            engine.transcribe(wav)

    started = time.perf_counter()
    await asyncio.gather(*(asyncio.to_thread(repeat, engine) for engine in engines))
    return len(engines) * count / (time.perf_counter() - started)


async def measure(
    url: str, key: str, wav: Path, body: bytes, engines: Sequence[EngineAlone]
) -> None:
    """Print both ratios."""
    engine = engines[0]
    headers = {"Authorization": f"Bearer {key}"}
    alone, through, answers = [], [], []
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        await transcribe(client, body)
        engine.transcribe(wav)
        for _ in range(ROUNDS):
            alone.append(engine.transcribe(wav)[1])
            started = time.perf_counter()
            answers.append(await transcribe(client, body))
            through.append(time.perf_counter() - started)
        ratios = [b / a for a, b in zip(alone, through, strict=True)]
        overhead = statistics.median(ratios)
        print(f"engine alone            median {statistics.median(alone) * 1000:8.1f} ms")
        print(f"through the platform    median {statistics.median(through) * 1000:8.1f} ms")
        print(
            f"overhead at 1 client    {overhead:.3f} × (goal ≤ {GOAL_OVERHEAD}),"
            f" min {min(ratios):.3f}, max {max(ratios):.3f}"
        )
        print(f"the service's timings   {answers[-1].get('timings')}")
        pairs, bare = [], []
        for _ in range(SCALING_ROUNDS):
            single = await throughput(client, body, 1)
            double = await throughput(client, body, 2)
            pairs.append((single, double))
            bare.append(
                await engine_throughput(wav, engines) / await engine_throughput(wav, engines[:1])
            )
        scaling = statistics.median(double / single for single, double in pairs)
        print(f"1 client                median {statistics.median(p[0] for p in pairs):8.3f} req/s")
        print(f"2 clients               median {statistics.median(p[1] for p in pairs):8.3f} req/s")
        print(f"throughput at 2 clients {scaling:.3f} × (goal ≥ {GOAL_SCALING})")
        print(
            f"what this machine gives {statistics.median(bare):.3f} ×: two bare engines against one"
        )


def main() -> None:
    """Start a stack of its own, measure, stop it."""
    first, second = recordings()[:2]
    with tempfile.TemporaryDirectory(prefix="speechgate-bench-") as folder:
        wav = write_wav(
            Path(folder) / "speech.wav", np.concatenate([first.samples(), second.samples()])
        )
        seconds = (len(first.samples()) + len(second.samples())) / SAMPLE_RATE
        print(f"audio: {seconds:.2f} s of read speech")
        engines = [EngineAlone(), EngineAlone()]
        try:
            with Stack(StackOptions(kind="embedded", run_dir=Path(folder) / "run")) as stack:
                key = Path(stack.info.admin_key_file).read_text().strip()
                asyncio.run(measure(stack.info.gateway_url, key, wav, wav.read_bytes(), engines))
        finally:
            for engine in engines:
                engine.close()


if __name__ == "__main__":
    main()
