"""Live streams in real time through the gateway: lag, accuracy, and where the processor time goes.

`python -m tests.load.streaming [--seconds S] [--most N] [--idle N]`

Each active stream speaks the librivox recordings one after the other, in frames of 100 ms at the
pace of speech; idle streams send silence. The number of active streams grows until partials lag
more than the goal. Exit status 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jiwer
import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import connect

from deploy.local.stack import Stack, StackOptions
from tests.load.machine import cpu_seconds, others
from tests.support.recordings import SAMPLE_RATE, Recording, recordings
from tests.support.streaming import STREAM, encoded, recite

FRAME = SAMPLE_RATE // 10
GOAL_P50_MS, GOAL_P95_MS = 300.0, 700.0
GOAL_WER = 0.03
GOAL_OUTSIDE = 0.10
_FRAME_S = 0.1


@dataclass
class Measured:
    """One number of active streams."""

    active: int
    lags: list[float] = field(default_factory=list)
    frames: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    others: float = 0.0
    gone: int = 0

    @property
    def p50(self) -> float:
        """Median lag of partials, ms."""
        return statistics.median(self.lags) * 1000 if self.lags else float("inf")

    @property
    def p95(self) -> float:
        """95th percentile of it, ms."""
        return float(np.percentile(self.lags, 95)) * 1000 if self.lags else float("inf")

    @property
    def holds(self) -> bool:
        """Whether partials come in time."""
        return self.p50 <= GOAL_P50_MS and self.p95 <= GOAL_P95_MS and not self.gone

    @property
    def outside(self) -> float:
        """Share of the processor time that is not the engine's."""
        total = sum(self.cpu.values())
        return (total - self.cpu["triton"]) / total if total else 0.0

    def line(self) -> str:
        """As printed."""
        cpu = ", ".join(
            f"{name} {seconds / self.seconds * 100:.1f} %" for name, seconds in self.cpu.items()
        )
        gateway = self.cpu["gateway"] / max(self.frames, 1) * 1e6
        return (
            f"{self.active:3} active: {len(self.lags):5} partials, lag p50 {self.p50:6.0f} ms, "
            f"p95 {self.p95:6.0f} ms; of a core: {cpu}; outside the engine {self.outside:.1%}; "
            f"gateway {gateway:.0f} µs a frame; others took {self.others:.0%} of the machine"
        )


class Target:
    """The stack under load."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.key = Path(stack.info.admin_key_file).read_text().strip()
        self.url = stack.info.gateway_url.replace("http", "ws", 1) + STREAM
        self.headers = {"Authorization": f"Bearer {self.key}"}

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far, by part."""
        pids = self.stack.info.pids
        return {name: cpu_seconds(pids[name]) for name in ("triton", "asr", "gateway")}


async def speak(target: Target, pcm: NDArray[np.int16], measured: Measured, until: float) -> None:
    """One stream at the pace of speech, until a time."""
    sent: list[float] = []
    async with connect(
        target.url, additional_headers=target.headers, compression=None, max_size=2**20
    ) as socket:
        await socket.send(json.dumps({"type": "start", "data_tracking": False}))

        async def listen() -> None:
            async for message in socket:
                now = time.monotonic()
                event: dict[str, Any] = json.loads(message)
                if event["type"] == "partial":
                    last = min(-(-round(event["end"] * SAMPLE_RATE) // FRAME), len(sent)) - 1
                    measured.lags.append(now - sent[last])
                elif event["type"] == "error":
                    measured.gone += 1

        listening = asyncio.create_task(listen())
        began, number = time.monotonic(), 0
        while time.monotonic() < until:
            await asyncio.sleep(max(0.0, began + number * _FRAME_S - time.monotonic()))
            place = number * FRAME % (len(pcm) - FRAME)
            await socket.send(encoded(pcm[place : place + FRAME]))
            sent.append(time.monotonic())
            measured.frames += 1
            number += 1
        listening.cancel()


async def level(target: Target, active: int, idle: int, seconds: float) -> Measured:
    """So many streams at once."""
    pause = np.zeros(SAMPLE_RATE, np.int16)
    spoken = [np.concatenate([one.samples(), pause]) for one in recordings()]
    rng = np.random.default_rng(active)
    hiss = rng.normal(0, 30, 20 * SAMPLE_RATE).astype(np.int16)
    measured = Measured(active)
    until = time.monotonic() + seconds

    async def later(pcm: NDArray[np.int16], delay: float) -> None:
        await asyncio.sleep(delay)
        await speak(target, pcm, measured, until)

    streams = [
        later(np.concatenate([spoken[(n + k) % 5] for k in range(5)]), n * 0.37 % 3)
        for n in range(active)
    ]
    streams += [later(hiss, n * 0.1 % 1) for n in range(idle)]
    with others() as share:
        before, began = target.cpu(), time.monotonic()
        await asyncio.gather(*streams)
        measured.seconds = time.monotonic() - began
        after = target.cpu()
    measured.others = share()
    measured.cpu = {name: after[name] - before[name] for name in after}
    return measured


async def accuracy(target: Target) -> tuple[float, float]:
    """Mean word error rate of streams and of files."""
    streamed, batch = [], []
    async with httpx.AsyncClient(
        base_url=target.stack.info.gateway_url, headers=target.headers, timeout=120
    ) as client:
        for one in recordings():
            heard = await recite(target.url, target.headers, encoded(one.samples()))
            streamed.append(jiwer.wer(one.reference, heard.text))
            batch.append(await _file(client, one))
    return statistics.mean(streamed), statistics.mean(batch)


async def _file(client: httpx.AsyncClient, one: Recording) -> float:
    files = {"file": ("a.wav", one.path.read_bytes())}
    answer = (await client.post("/api/v1/asr/transcribe", files=files)).json()
    return float(jiwer.wer(one.reference, answer["output"][0]["source"]))


async def measure(target: Target, seconds: float, most: int, idle: int) -> bool:
    """Prints all figures; whether the goals are met."""
    streamed, batch = await accuracy(target)
    print(f"word error rate: streams {streamed:.3f}, files {batch:.3f} (goal: within {GOAL_WER})")
    alone = await level(target, 1, 0, seconds)
    print(alone.line())
    quiet = await level(target, 0, idle, seconds / 2)
    cores = {name: round(spent / quiet.seconds * 100, 1) for name, spent in quiet.cpu.items()}
    print(f"{idle} idle streams alone, % of a core: {cores}")
    best = alone
    for active in range(2, most + 1):
        found = await level(target, active, idle, seconds)
        print(f"with {idle} idle: {found.line()}", flush=True)
        if not found.holds:
            break
        best = found
    print(
        f"most active streams in time, beside {idle} idle ones: {best.active}; p50 {best.p50:.0f} "
        f"ms (goal {GOAL_P50_MS:.0f}), p95 {best.p95:.0f} ms (goal {GOAL_P95_MS:.0f}), outside the "
        f"engine {best.outside:.1%} (goal {GOAL_OUTSIDE:.0%})"
    )
    return abs(streamed - batch) <= GOAL_WER and best.holds and best.outside <= GOAL_OUTSIDE


def main() -> int:
    """Starts a stack and measures it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--most", type=int, default=16)
    parser.add_argument("--idle", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = StackOptions(
            kind="embedded", run_dir=Path(folder), env={"SPEECHGATE_LOG_LEVEL": "warning"}
        )
        with Stack(options) as stack:
            good = asyncio.run(measure(Target(stack), given.seconds, given.most, given.idle))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
