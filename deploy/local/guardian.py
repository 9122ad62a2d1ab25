"""A process that outlives a killed launcher just long enough to kill what it left.

The parent-death signal reaches only the launcher's direct children. Theirs may stay: a Python
process of Triton waits for ever for a lock that its killed server held. So the launcher tells
this process, over a pipe, which process groups are its own; the end of the pipe is the end of
the launcher, however it came about.

Run as a program it needs nothing but the standard library.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


class Guardian:
    """The launcher's side: started with the first group, one for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def watch(self, group: int) -> None:
        """Has the group killed when this process ends."""
        with self._lock:
            self._groups.add(group)
            self._send(f"+{group}\n")

    def release(self, group: int) -> None:
        """The group has ended; its number may become another's."""
        with self._lock:
            self._groups.discard(group)
            if self._process is not None:
                self._send(f"-{group}\n")

    def close(self) -> None:
        """Ends the guardian, and what is still watched."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None and process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
                process.wait()

    def _send(self, line: str) -> None:
        if self._process is not None and self._write(line):
            return
        self._start()
        self._write("".join(f"+{group}\n" for group in self._groups))

    def _write(self, text: str) -> bool:
        process = self._process
        if process is None or process.stdin is None:
            return False
        try:
            process.stdin.write(text.encode())
        except OSError:
            process.stdin.close()  # it was killed; a new one takes its place
            process.wait()
            return False
        return True

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            bufsize=0,
            env={},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _forget(self) -> None:
        """In a forked child: the pipe is the parent's alone, or its end would not be seen."""
        process, self._process = self._process, None
        self._lock = threading.Lock()
        self._groups = set()
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.returncode = 0


def main() -> None:
    """Reads which groups to watch until the launcher ends, then kills them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
