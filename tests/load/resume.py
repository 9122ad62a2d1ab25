"""Streams that break: none may lose or double a word.

`python -m tests.load.resume [--streams N] [--at-once N]`

Every stream is cut at a random point, or a replica under it is killed with -9, and resumed on
whichever replica is there; its finals must equal, with times and confidences, those of the same
audio that was never cut. Exit status 1 when one differs.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deploy.local.stack import Stack, StackOptions
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.streaming import STREAM, Heard, encoded, recite, recite_to_the_end

_FRAME = 6_400
_FRAME_S = 0.1  # Frames of 200 ms: twice as fast as speech.
_KINDS = 6


def audio(number: int) -> bytes:
    """Three recordings in some order, with pauses of some length."""
    rng = random.Random(number)
    parts = []
    for one in rng.sample(recordings(), 3):
        parts += [
            one.samples(),
            np.zeros(rng.randrange(SAMPLE_RATE // 2, 2 * SAMPLE_RATE), np.int16),
        ]
    return encoded(np.concatenate(parts))


class Bench:
    """A stack with two replicas of the recognition service."""

    def __init__(self, stack: Stack, at_once: int) -> None:
        self.stack = stack
        self.url = stack.info.gateway_url.replace("http", "ws", 1) + STREAM
        key = Path(stack.info.admin_key_file).read_text().strip()
        self.headers = {"Authorization": f"Bearer {key}"}
        self.places = asyncio.Semaphore(at_once)
        self.killing = asyncio.Lock()
        self.kills = self.cuts = 0

    async def straight(self, data: bytes) -> list[dict[str, Any]]:
        """Finals of a stream that nothing happens to."""
        heard = await recite(self.url, self.headers, data, interim=False)
        if not heard.of("done"):
            raise RuntimeError(f"a stream that was not cut is not done: {heard.errors}")
        return heard.finals

    async def broken(self, data: bytes, *, kill: bool, at: float) -> list[dict[str, Any]]:
        """Finals of a stream that breaks after a share of its audio, and goes on."""
        async with self.places:
            heard = Heard()
            if kill:
                first = asyncio.create_task(
                    recite(
                        self.url, self.headers, data, heard=heard, frame=_FRAME, frame_s=_FRAME_S
                    )
                )
                await asyncio.sleep(at * len(data) / _FRAME * _FRAME_S)
                await self.kill()
                await asyncio.gather(first, return_exceptions=True)
            else:
                self.cuts += 1
                cut = int(at * len(data))
                options = {"frame": _FRAME, "frame_s": _FRAME_S, "cut_at": cut}
                # A replica under it may be killed for another stream.
                with contextlib.suppress(OSError, ConnectionClosed, InvalidStatus):
                    await recite(self.url, self.headers, data, heard=heard, **options)
            if not heard.of("done"):
                await recite_to_the_end(
                    self.url, self.headers, data, heard=heard, tries=60, interim=False
                )
            print(end=".", flush=True)
            return heard.finals

    async def kill(self) -> None:
        """Kill a replica, and wait until it serves again before the next one is killed."""
        async with self.killing:
            self.kills += 1
            name = f"asr-{1 + self.kills % 2}"
            os.kill(self.stack.info.pids[name], signal.SIGKILL)
            await asyncio.to_thread(self.stack.restart, name)


async def run(stack: Stack, streams: int, at_once: int) -> bool:
    """Break all streams; whether each says what it should."""
    bench = Bench(stack, at_once)
    expected = [await bench.straight(audio(kind)) for kind in range(_KINDS)]
    rng = random.Random(7)
    began = time.monotonic()
    found = await asyncio.gather(
        *(
            bench.broken(audio(n % _KINDS), kill=n % 5 == 0, at=rng.uniform(0.05, 0.95))
            for n in range(streams)
        )
    )
    equal = [finals == expected[n % _KINDS] for n, finals in enumerate(found)]
    words = sum(len(final["words"]) for finals in expected for final in finals)
    print(
        f"\n{streams} streams of {words // _KINDS} words on average, {bench.cuts} cut, "
        f"{bench.kills} replicas killed, {time.monotonic() - began:.0f} s: "
        f"{sum(equal)} equal the uncut ones"
    )
    for n, good in enumerate(equal):
        if not good:
            print(f"stream {n} differs:")
            print(f"  wanted {[final['text'] for final in expected[n % _KINDS]]}")
            print(f"  found  {[final['text'] for final in found[n]]}")
    return all(equal)


def main() -> int:
    """Starts a stack and breaks its streams."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = StackOptions(
            kind="embedded",
            run_dir=Path(folder),
            asr_replicas=2,
            env={"SPEECHGATE_LOG_LEVEL": "warning"},
        )
        with Stack(options) as stack:
            good = asyncio.run(run(stack, given.streams, given.at_once))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
