"""Redis as a child process: a cache and counters, nothing on disk."""

import shutil
import socket
from pathlib import Path

from deploy.local.component import Component
from deploy.local.ports import HOST, PortAllocator
from deploy.local.process import ChildProcess, LauncherError, base_environment


class RedisServer(Component):
    """One Redis on loopback.

    Args:
        run_dir: Folder for its working directory and its log.
        port: Address; a free one when None.
    """

    def __init__(self, run_dir: Path, port: int | None = None) -> None:
        run_dir = run_dir.resolve()
        super().__init__("redis", run_dir / "log" / "redis.log")
        self._allocator = PortAllocator()
        self.port = port or self._allocator.lease()
        self.url = self.address = f"redis://{HOST}:{self.port}/0"
        self._folder = run_dir / "redis"

    def prepare(self) -> None:
        """Makes its working directory."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def make_process(self) -> ChildProcess:
        """Redis without persistence, on loopback only."""
        program = shutil.which("redis-server")
        if program is None:
            raise LauncherError("redis-server is not installed: run `make setup`")
        options = {
            "--port": str(self.port),
            "--bind": HOST,
            "--protected-mode": "yes",
            "--save": "",
            "--appendonly": "no",
            "--daemonize": "no",
            "--dir": str(self._folder),
        }
        command = [program, *(part for option in options.items() for part in option)]
        return ChildProcess(command, base_environment(), self.log, grace_s=3.0)

    def probe(self) -> bool:
        """Whether it answers PING."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
