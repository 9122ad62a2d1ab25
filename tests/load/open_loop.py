"""Open loop: requests leave at set times, whether or not the ones before were answered.

Latency counts from the time at which a request was to leave, so that an answer that is late
does not hide the ones that wait behind it (coordinated omission). Requests are encoded before,
and a timer of the kernel wakes the loop: asyncio's timers are too coarse (1 ms). Above 2,000
requests a second some leave together, so that the generator needs less of the core that it
shares with the upstream.
"""

import ctypes
import gc
import os
import re
import select
import socket
import time
from dataclasses import dataclass, field

from tests.load.closed_loop import BenchError
from tests.load.contenders.base import HOST, Target

MAX_CONNECTIONS = 512
WARM_UP_S = 0.5
_GRACE_S = 10.0
_TICK_S = 0.0005
_CLOCK_MONOTONIC = 1
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True)
class OpenLoop:
    """What one run measured, in seconds.

    Attributes:
        rate: Requests per second, as asked for.
        p50: Latency from the set time.
        p99: Likewise.
        longest: Likewise.
        late_p99: How late requests left: the generator itself, or no connection was free.
    """

    rate: float
    p50: float
    p99: float
    longest: float
    late_p99: float


def quantile(ordered: list[int], share: float) -> int:
    """A value of a sorted list."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class _Timer:
    """A timer of the kernel that becomes readable at a fixed interval."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def start(self, interval_ns: int) -> None:
        """The first time is one interval from now."""
        seconds, nanoseconds = divmod(interval_ns, 10**9)
        setting = (ctypes.c_long * 4)(seconds, nanoseconds, seconds, nanoseconds)
        if self._libc.timerfd_settime(self.fd, 0, setting, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")


@dataclass
class _Run:
    """One run: its connections, and what they wait for."""

    target: Target
    request: bytes
    epoll: select.epoll
    open: dict[int, socket.socket] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    due: dict[int, int] = field(default_factory=dict)
    parts: dict[int, bytes] = field(default_factory=dict)

    def send(self, intended: int) -> bool:
        """Sends one request; False when no connection is free."""
        if self.free:
            fd = self.free.pop()
        elif len(self.open) < MAX_CONNECTIONS:
            fd = self._connect()
        else:
            return False
        self.due[fd] = intended
        if self.open[fd].send(self.request) != len(self.request):
            raise BenchError("a request did not fit into the socket's buffer")
        return True

    def _connect(self) -> int:
        connection = socket.create_connection((HOST, self.target.port), timeout=5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(0)
        fd = connection.fileno()
        self.open[fd] = connection
        self.epoll.register(fd, select.EPOLLIN)
        return fd

    def receive(self, fd: int) -> int | None:
        """Reads; when an answer is complete, the time at which its request was to leave."""
        data = self.open[fd].recv(65536)
        if not data:
            if fd in self.due:
                raise BenchError(f"{self.target.url}: connection closed before the answer")
            self.free.remove(fd)
            self.open.pop(fd).close()
            return None
        if fd in self.parts:
            data = self.parts.pop(fd) + data
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end) if end >= 0 else None
        complete = end >= 0 and (
            len(data) >= end + 4 + int(length[1]) if length else data.endswith(b"0\r\n\r\n")
        )
        if not complete:
            self.parts[fd] = data
            return None
        if not data.startswith(b"HTTP/1.1 200 "):
            raise BenchError(f"{self.target.url}: {data[:200]!r}")
        self.free.append(fd)
        return self.due.pop(fd)


def open_loop(target: Target, body: bytes, rate: float, seconds: float) -> OpenLoop:
    """Measures latency at a fixed rate.

    Raises:
        BenchError: An answer failed, or the rate could not be held.
    """
    timer, epoll = _Timer(), select.epoll()
    epoll.register(timer.fd, select.EPOLLIN)
    run = _Run(target, target.encode(body), epoll)
    gc.collect()
    gc.disable()
    try:
        return _drive(run, timer, rate, seconds)
    finally:
        gc.enable()
        for connection in run.open.values():
            connection.close()
        epoll.close()
        os.close(timer.fd)


def _drive(run: _Run, timer: _Timer, rate: float, seconds: float) -> OpenLoop:
    together = max(1, round(rate * _TICK_S))
    interval_ns = round(together / rate * 1e9)
    ticks, warm_up = (
        max(1, int(length * 1e9 / interval_ns)) for length in (seconds + WARM_UP_S, WARM_UP_S)
    )
    clock = time.perf_counter_ns
    start = clock()
    timer.start(interval_ns)
    deadline, measured_from = start + int((seconds + _GRACE_S) * 1e9), start + warm_up * interval_ns
    sent = answered = 0
    latencies: list[int] = []
    late: list[int] = []
    while answered < ticks * together:
        for fd, _ in run.epoll.poll(1.0):
            if fd == timer.fd:
                os.read(fd, 8)
                continue
            intended = run.receive(fd)
            if intended is None:
                continue
            answered += 1
            if intended >= measured_from:
                latencies.append(clock() - intended)
        now = clock()
        if now > deadline:
            raise BenchError(f"{run.target.url} does not keep up with {rate:.0f} requests/s")
        while sent < ticks * together:
            intended = start + (sent // together + 1) * interval_ns
            if intended > now or not run.send(intended):
                break
            sent += 1
            if intended >= measured_from:
                late.append(now - intended)
    latencies.sort()
    late.sort()
    return OpenLoop(
        rate=together / interval_ns * 1e9,
        p50=quantile(latencies, 0.5) / 1e9,
        p99=quantile(latencies, 0.99) / 1e9,
        longest=latencies[-1] / 1e9,
        late_p99=quantile(late, 0.99) / 1e9,
    )
