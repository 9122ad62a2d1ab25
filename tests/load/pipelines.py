"""What pipelines cost beside their steps, and how soon a stream's speech is heard translated.

`python -m tests.load.pipelines [--rounds N]`: an embedded stack of its own. Figures and goals; the
exit status is 1 when a goal is missed.
"""

import argparse
import asyncio
import base64
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from deploy.local.stack import Stack, StackOptions
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.streaming import encoded

NATIVE = "/api/v1/pipeline/inference"
OVERHEAD_MS, HELD_MS, HEARD_MS = 15.0, 100.0, 1_000.0
_EN_ES = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
_TASKS: list[dict[str, Any]] = [
    {"taskType": "asr", "config": {"language": {"sourceLanguage": "en"}}},
    {"taskType": "translation", "config": _EN_ES},
    {"taskType": "tts"},
]
_LARGE_BYTES = 30 * 1024 * 1024


def pipeline(content: str) -> dict[str, Any]:
    return {"pipelineTasks": _TASKS, "inputData": {"audio": [{"audioContent": content}]}}


async def overhead(client: httpx.AsyncClient, rounds: int) -> tuple[float, float]:
    """Milliseconds of a pipeline, and of them those in no step; medians."""
    recording = min(recordings(), key=lambda one: one.path.stat().st_size)
    content = base64.b64encode(recording.path.read_bytes()).decode()
    body = json.dumps(pipeline(content)).encode()
    wholes, rests = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = await client.post(NATIVE, content=body)
        whole = (time.perf_counter() - began) * 1000
        wholes.append(whole)
        rests.append(whole - sum(step["ms"] for step in answer.raise_for_status().json()["steps"]))
    return statistics.median(wholes), statistics.median(rests)


async def held(client: httpx.AsyncClient, rounds: int) -> float:
    """Longest wait for `/health` while bodies of 30 MB are taken apart, in milliseconds.

    A process of its own asks: sending 30 MB holds up every thread of this one, too.
    """
    body = json.dumps(pipeline("!" * _LARGE_BYTES)).encode()
    ours, theirs = multiprocessing.Pipe()
    asking = multiprocessing.get_context("spawn").Process(
        target=_ask_health, args=(str(client.base_url), theirs), daemon=True
    )
    asking.start()
    assert await asyncio.to_thread(ours.poll, 30), "the process that asks did not start"
    ours.recv()
    for _ in range(rounds):
        answer = await client.post(NATIVE, content=body)
        assert answer.status_code == 422, answer.text
    ours.send("enough")
    worst: float = await asyncio.to_thread(ours.recv)
    asking.join(10)
    return worst


def _ask_health(url: str, pipe: Connection) -> None:
    """Ask without pause until told that it is enough; say how long the longest answer took."""
    worst = 0.0
    with httpx.Client(base_url=url, trust_env=False) as client:
        client.get("/health").raise_for_status()
        pipe.send("asking")
        while not pipe.poll(0.002):
            began = time.perf_counter()
            client.get("/health").raise_for_status()
            worst = max(worst, (time.perf_counter() - began) * 1000)
    pipe.send(worst)


async def heard(stack: Stack, headers: dict[str, str]) -> list[float]:
    """Milliseconds from each final to the first byte of its sound, of a recording in real time."""
    url = stack.info.gateway_url.replace("http", "ws") + "/api/v1/pipeline/stream"
    pause = np.zeros(SAMPLE_RATE, np.int16)
    pcm = np.concatenate([part for one in recordings()[3:5] for part in (one.samples(), pause)])
    data, frame = encoded(pcm), SAMPLE_RATE // 10 * 2
    finals: dict[int, float] = {}
    waits: list[float] = []
    async with connect(url, additional_headers=headers, max_size=2**24) as socket:
        start = {"type": "start", "source_language": "en", "target_language": "es"}
        await socket.send(json.dumps(start))

        async def speak() -> None:
            for at in range(0, len(data), frame):
                await socket.send(data[at : at + frame])
                await asyncio.sleep(0.1)
            await socket.send('{"type":"stop"}')

        speaking = asyncio.create_task(speak())
        waiting: int | None = None
        async for message in socket:
            now = time.perf_counter()
            if isinstance(message, bytes):
                if waiting is not None:
                    waits.append((now - finals[waiting]) * 1000)
                    waiting = None
                continue
            event = json.loads(message)
            if event["type"] == "final" and "segment" in event:
                finals[event["segment"]] = now
            elif event["type"] == "audio":
                waiting = event["segment"]
        await speaking
    return waits


async def measure(stack: Stack, rounds: int) -> bool:
    """Print figures; whether all goals are met."""
    key = stack.info.admin_key
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=stack.info.gateway_url, headers=headers, timeout=120, trust_env=False
    ) as client:
        await overhead(client, 2)
        whole, rest = await overhead(client, rounds)
        worst = await held(client, rounds)
    waits = await heard(stack, headers)
    rows = [
        ("a pipeline of three steps", whole, None),
        ("of it in no step", rest, OVERHEAD_MS),
        ("longest wait beside 30 MB bodies", worst, HELD_MS),
        ("final to first sound, median", statistics.median(waits), HEARD_MS),
    ]
    met = True
    for name, value, goal in rows:
        wanted = "" if goal is None else f"  goal <= {goal:.0f} ms"
        met = met and (goal is None or value <= goal)
        print(f"{name:36}{value:10.1f} ms{wanted}")
    print(f"{len(waits)} utterances spoken")
    return met


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        options = StackOptions(kind="embedded", run_dir=Path(folder) / "stack")
        with Stack(options) as stack:
            return 0 if asyncio.run(measure(stack, rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
