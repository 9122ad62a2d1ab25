"""What a live stream costs: frames of 20 ms through the gateway's tunnel and through nginx.

`python -m tests.load.websocket [--streams N] [--rounds N] [--seconds S]`, part of `make bench`.

Every stream sends 50 frames a second (16 kHz, 16 bit, one channel), each of which the upstream
answers with one of the same size; a frame without its answer ends the benchmark.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

from deploy.local.redis import RedisServer
from tests.load.closed_loop import BenchError
from tests.load.contenders.base import HOST, Contender, Daemon, Target, free_port
from tests.load.contenders.nginx import NEEDS, PlainNginx
from tests.load.contenders.speechgate import Speechgate
from tests.load.echo_upstream import frame, frame_sizes
from tests.load.machine import (
    ROOT,
    Cores,
    Missing,
    cpu_seconds,
    ensure_installed,
    memory_mb,
    on_cores,
)

FRAME_MS = 20
PAYLOAD = 16_000 * 2 * FRAME_MS // 1000
PATH = "/api/v1/asr/stream"
_WARM_UP_S = 1.0
_DRAIN_S = 5.0
_TICKS = 10  # The streams send in so many groups within 20 ms, not all at once.


@dataclass(frozen=True)
class Run:
    """What one run measured; a message is a frame in one direction."""

    frames: int
    microseconds: float
    cpu: float


class Stream(asyncio.Protocol):
    """One client."""

    def __init__(self, target: Target) -> None:
        lines = [
            f"GET {PATH} HTTP/1.1",
            f"Host: {HOST}:{target.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *(f"{name}: {value}" for name, value in target.headers.items()),
        ]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._head = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = 0
        self.lost = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the upgrade."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Counts bytes: all frames have the same size."""
        if self.ready.done():
            self.received += len(data)
            return
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        if head.startswith(b"HTTP/1.1 101"):
            self.received += len(rest)
            self.ready.set_result(None)
        else:
            self.ready.set_exception(BenchError(f"no upgrade: {self._head[:300]!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Before the end, a failure."""
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(BenchError(f"no upgrade: closed, {exc}"))


async def _send(streams: list[Stream], seconds: float) -> int:
    """Frames that each stream sent, at their pace."""
    encoded = frame(bytes(PAYLOAD), bytes(4))
    groups = [streams[n::_TICKS] for n in range(_TICKS)]
    start, step = time.monotonic(), FRAME_MS / 1000 / _TICKS
    rounds = int(seconds * 1000 / FRAME_MS)
    for tick in range(rounds * _TICKS):
        await asyncio.sleep(max(0.0, start + tick * step - time.monotonic()))
        for stream in groups[tick % _TICKS]:
            assert stream.transport is not None
            stream.transport.write(encoded)
    return rounds


async def load(contender: Contender, count: int, seconds: float) -> Run:
    """Runs the streams through one contender.

    Raises:
        BenchError: A stream was refused or lost, or a frame was not answered.
    """
    loop, target = asyncio.get_running_loop(), contender.target
    streams = []
    for _ in range(count):
        _, stream = await loop.create_connection(lambda: Stream(target), HOST, target.port)
        streams.append(stream)
    try:
        async with asyncio.timeout(20):
            await asyncio.gather(*(stream.ready for stream in streams))
        warm = await _send(streams, _WARM_UP_S)
        before, started = cpu_seconds(contender.pid), time.monotonic()
        sent = await _send(streams, seconds)
        used, took = cpu_seconds(contender.pid) - before, time.monotonic() - started
        expected = (warm + sent) * frame_sizes(PAYLOAD)[1]
        deadline = time.monotonic() + _DRAIN_S
        while time.monotonic() < deadline and any(s.received < expected for s in streams):  # noqa: ASYNC110 - bytes are counted, events would cost more
            await asyncio.sleep(0.05)
        wrong = sum(s.received != expected or s.lost for s in streams)
        if wrong:
            raise BenchError(f"{contender.name}: {wrong} of {count} streams lost frames")
    finally:
        for stream in streams:
            if stream.transport is not None:
                stream.transport.abort()
    frames = sent * count * 2
    return Run(frames=frames, microseconds=used / frames * 1e6, cpu=used / took)


def measure(contenders: list[Contender], count: int, rounds: int, seconds: float) -> None:
    """Interleaved rounds, then the table."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(rounds):
            for contender in contenders:
                runs[contender.name].append(runner.run(load(contender, count, seconds)))
    print(
        f"{'':14}{'µs per frame':>13}{'µs, frame + answer':>20}{'core used':>11}"
        f"{'streams a core':>16}{'RSS MB':>8}{'× nginx':>9}"
    )
    nginx = [run.microseconds for run in runs.get(PlainNginx.name, [])]
    for contender in contenders:
        each = statistics.median(run.microseconds for run in runs[contender.name])
        core = statistics.median(run.cpu for run in runs[contender.name])
        print(
            f"{contender.name:14}{each:13.1f}{2 * each:20.1f}{core:11.2f}{count / core:16,.0f}"
            f"{memory_mb(contender.pid)[0]:8.0f}"
            f"{each / statistics.median(nginx) if nginx else float('nan'):9.2f}"
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.websocket", description=__doc__)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", default="", help="speechgate or nginx")
    options = parser.parse_args()
    try:
        ensure_installed(*NEEDS, "redis-server")
    except Missing as missing:
        parser.exit(1, f"cannot measure; {missing}\n")
    cores = Cores.of_this_machine()
    os.sched_setaffinity(0, cores.rest)
    os.chdir(ROOT)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speechgate-bench-")))
        redis, port = RedisServer(folder / "redis"), free_port()
        command = [sys.executable, "-m", "tests.load.echo_upstream", str(port), str(PAYLOAD)]
        echo = Daemon(command, port, folder / "echo.log")
        for component in (redis, echo):
            stack.callback(component.stop)
            component.start()
        contenders: list[Contender] = []
        if options.only != "nginx":
            contenders.append(Speechgate(folder / "speechgate", port, redis.url))
        if options.only != "speechgate":
            contenders.append(PlainNginx(folder / "nginx", port))
        for contender in contenders:
            stack.callback(contender.stop)
            with on_cores(cores.contender):
                contender.start()
        print(f"{cores.describe()}; {options.streams} streams, {PAYLOAD} B every {FRAME_MS} ms")
        measure(contenders, options.streams, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
