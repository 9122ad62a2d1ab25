"""What is measured: something that stands between a client and an upstream."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

HOST = "127.0.0.1"
PATH = "/api/v1/asr/inference"
START_S = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def flush_redis(port: int) -> None:
    """Empties a Redis."""
    with socket.create_connection((HOST, port), timeout=5) as connection:
        connection.sendall(b"FLUSHDB\r\n")
        assert connection.recv(16).startswith(b"+OK")


@dataclass(frozen=True)
class Target:
    """Where requests go, and with which fields."""

    port: int
    path: str = PATH
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The whole address."""
        return f"http://{HOST}:{self.port}{self.path}"

    def encode(self, body: bytes) -> bytes:
        """The request as it goes over the wire."""
        fields = {
            "Host": f"{HOST}:{self.port}",
            "Content-Type": "application/json",
            **self.headers,
            "Content-Length": str(len(body)),
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Contender(Protocol):
    """One of the programs that are compared."""

    name: str

    @property
    def target(self) -> Target:
        """Where to send requests, once started."""

    @property
    def pid(self) -> int:
        """The first process of its tree."""

    def start(self) -> None:
        """Starts it.

        Raises:
            Missing: It cannot be had on this machine.
        """

    def stop(self) -> None:
        """Stops it."""


@dataclass
class Daemon:
    """A child process that answers HTTP on one port."""

    command: list[str]
    port: int
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Starts it and waits until it takes connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env={**os.environ, **self.env}, stdout=log, stderr=log
            )
        self._wait(lambda: _accepts(self.port))

    def await_answer(self, request: httpx.Request) -> None:
        """Waits until it answers a request with 200."""

        def answered() -> bool:
            try:
                with httpx.Client(timeout=5, trust_env=False) as client:
                    return client.send(request).status_code == 200
            except httpx.HTTPError:
                return False

        self._wait(answered)

    def _wait(self, condition: Callable[[], bool]) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_S
        while not condition():
            tail = self.log.read_text(errors="replace")[-2000:]
            assert self.process.poll() is None, f"{self.command[0]} ended: {tail}"
            assert time.monotonic() < deadline, f"{self.command[0]} is not ready: {tail}"
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends it; kills it when it will not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Served:
    """What one daemon serves, on all of its port."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    @property
    def pid(self) -> int:
        """The first process."""
        return self._daemon.pid

    @property
    def target(self) -> Target:
        """Where it answers."""
        return Target(self._daemon.port)

    def start(self) -> None:
        """Starts it."""
        self._daemon.start()

    def stop(self) -> None:
        """Stops it."""
        self._daemon.stop()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
