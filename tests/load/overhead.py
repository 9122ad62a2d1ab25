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
from pathlib import Path

import httpx
import numpy as np

from deploy.local.stack import Stack, StackOptions
from tests.support.recordings import SAMPLE_RATE, EngineAlone, recordings, write_wav

ROUNDS = 9
REQUESTS_A_ROUND = 6
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

    async def one() -> None:
        for _ in range(REQUESTS_A_ROUND):
            await transcribe(client, wav)

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return clients * REQUESTS_A_ROUND / (time.perf_counter() - started)


async def measure(url: str, key: str, wav: Path, body: bytes, engine: EngineAlone) -> None:
    """Print both ratios."""
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
        pairs = []
        for _ in range(4):
            single = await throughput(client, body, 1)
            double = await throughput(client, body, 2)
            pairs.append((single, double))
        scaling = statistics.median(double / single for single, double in pairs)
        print(f"1 client                median {statistics.median(p[0] for p in pairs):8.3f} req/s")
        print(f"2 clients               median {statistics.median(p[1] for p in pairs):8.3f} req/s")
        print(f"throughput at 2 clients {scaling:.3f} × (goal ≥ {GOAL_SCALING})")


def main() -> None:
    """Start a stack of its own, measure, stop it."""
    first, second = recordings()[:2]
    with tempfile.TemporaryDirectory(prefix="speechgate-bench-") as folder:
        wav = write_wav(
            Path(folder) / "speech.wav", np.concatenate([first.samples(), second.samples()])
        )
        seconds = (len(first.samples()) + len(second.samples())) / SAMPLE_RATE
        print(f"audio: {seconds:.2f} s of read speech")
        engine = EngineAlone()
        try:
            with Stack(StackOptions(kind="embedded", run_dir=Path(folder) / "run")) as stack:
                key = Path(stack.info.admin_key_file).read_text().strip()
                asyncio.run(measure(stack.info.gateway_url, key, wav, wav.read_bytes(), engine))
        finally:
            engine.close()


if __name__ == "__main__":
    main()
