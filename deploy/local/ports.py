"""Free loopback ports that stay free until their component listens, and between restarts.

Binding port 0 and closing the socket again gives a port that any outgoing connection may take
a moment later. So ports come from below the kernel's ephemeral range, and each is held by a
lock on a file: stacks of the same machine never choose the same one, and a lock ends with its
process, however that ends.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

from deploy.local.process import LauncherError

HOST = "127.0.0.1"
_LOWEST = 12_000
_DEFAULT_EPHEMERAL_START = 32_768
_ATTEMPTS = 500


def _ephemeral_start() -> int:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
        return int(text.split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_EPHEMERAL_START


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do; without it a port in TIME_WAIT would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class PortAllocator:
    """Leases ports; each stays leased until `release` or the end of the process."""

    def __init__(self, folder: Path | None = None) -> None:
        default = Path(tempfile.gettempdir()) / f"speechgate-ports-{os.getuid()}"
        self._folder = folder or default
        self._leases: dict[int, int] = {}

    def lease(self, preferred: Iterable[int | None] = ()) -> int:
        """Leases the first preferred port that is free, else any.

        Raises:
            LauncherError: No free port was found.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted = [port for port in preferred if port]
        highest = _ephemeral_start() - 1
        low = _LOWEST if highest > _LOWEST else 1_024
        # Not a secret: any spread over the range will do.
        drawn = (random.randint(low, highest) for _ in range(_ATTEMPTS))  # noqa: S311 - no secret
        for port in (*wanted, *drawn):
            if port not in self._leases and self._take(port):
                return port
        raise LauncherError(f"no free port between {low} and {highest}")

    def _take(self, port: int) -> bool:
        descriptor = os.open(self._folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        if not _bindable(port):
            os.close(descriptor)
            return False
        self._leases[port] = descriptor
        return True

    def release(self) -> None:
        """Gives all ports back. The files stay: removing them would race with a new lease."""
        for descriptor in self._leases.values():
            os.close(descriptor)
        self._leases.clear()
