"""A part of the stack: a child process, how to start it, and when it is ready for use."""

import signal
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path

from deploy.local.process import ChildProcess, LauncherError, StoppedError, tail, wait_until

_POLL_S = 0.05


class Component(ABC):
    """One part of a stack, usable alone: start, kill, restart, stop.

    A subclass says how to make its process and what "ready" means. It keeps its ports and
    files over restarts, so its address is stable.

    Attributes:
        name: Its name in the stack, in the status and of its log.
        address: Where its users find it.
        cancelled: Set by the owner to give up a start in progress, for ever.
    """

    start_timeout_s: float = 30.0

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.address = ""
        self.cancelled = threading.Event()
        self._process: ChildProcess | None = None
        self._starting = threading.Lock()

    @abstractmethod
    def make_process(self) -> ChildProcess:
        """Describes the process; called before each start."""

    @abstractmethod
    def probe(self) -> bool:
        """Whether it is ready for use now. May take a second, never raises."""

    def prepare(self) -> None:  # noqa: B027 - a hook: most need none
        """Makes what the process needs: folders, configuration; before each start."""

    def on_ready(self) -> None:  # noqa: B027 - a hook
        """Runs each time it became ready."""

    def on_exit(self) -> None:  # noqa: B027 - a hook
        """Removes what a process leaves behind; after each end."""

    @property
    def pid(self) -> int | None:
        """Id of the current (or last) process."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.running

    def start(self, timeout_s: float | None = None) -> None:
        """Starts it and waits until it is ready.

        Raises:
            LauncherError: It ended, or was not ready in time; it is stopped then.
        """
        self.spawn()
        try:
            self.wait_ready(timeout_s)
        except BaseException:
            self.stop(grace_s=0)
            raise

    def spawn(self) -> None:
        """Starts its process without waiting for it to be ready."""
        with self._starting:
            # Under the lock: a stop either comes before, and is seen here, or finds a process.
            if self.cancelled.is_set():
                raise StoppedError(f"{self.name}: the start was given up")
            self.prepare()
            self._process = self.make_process()
            self._process.start()

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Waits until the started process is ready for use."""
        timeout_s = self.start_timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s
        while not self.probe():
            if self.cancelled.is_set():
                raise StoppedError(f"{self.name}: the start was given up")
            if not self.running:
                raise LauncherError(self._report(f"ended ({self._how_it_ended()})"))
            if time.monotonic() > deadline:
                raise LauncherError(self._report(f"not ready after {timeout_s:.0f} s"))
            time.sleep(_POLL_S)
        self.on_ready()

    def _how_it_ended(self) -> str:
        if self._process is None:
            return "not started"
        self._process.wait_exit()
        code = self._process.returncode or 0
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"

    def _report(self, what: str) -> str:
        return f"{self.name}: {what}; the end of {self.log}:\n{tail(self.log)}"

    def wait_exit(self) -> None:
        """Blocks until the process has ended; then removes what it left behind."""
        if self._process is not None:
            self._process.wait_exit()
            self.on_exit()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal to the process; after SIGKILL it is gone when this returns."""
        process = self._process
        if process is None:
            return
        process.signal(number)
        if number == signal.SIGKILL:
            wait_until(lambda: not process.running, 10.0)

    def stop(self, grace_s: float | None = None) -> None:
        """Stops it, with its grace time; nothing of it runs when this returns."""
        with self._starting:
            if self._process is not None:
                self._process.stop(grace_s)
                self.on_exit()

    def restart(self, timeout_s: float | None = None) -> None:
        """Stops it and starts it again, on the same address."""
        self.stop()
        self.start(timeout_s)
