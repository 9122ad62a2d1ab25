"""One child process: started so that it cannot outlive its parent, stopped without remains.

- It leads a session of its own, so a terminal's Ctrl-C reaches only the launcher.
- Its parent-death signal is SIGKILL (prctl(2), PR_SET_PDEATHSIG), set by setpriv(1) on the
  way to the program: it dies even when the launcher is killed with SIGKILL. The kernel ties
  that signal to the *thread* that forked, so one thread that lives as long as the launcher
  starts all children. What it started itself is the guardian's to kill then.
- Its output goes to a log file.
"""

import atexit
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local import procfs
from deploy.local.guardian import Guardian

_POLL_S = 0.02
_TAIL_BYTES = 16_384


class LauncherError(Exception):
    """Something could not be started or stopped; the text is meant for a person."""


class StoppedError(LauncherError):
    """The start was given up because a stop was asked for."""


def _popen(command: list[str], options: dict[str, Any]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, **options)


class _Spawner:
    """The thread that forks every child of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._executor = None

    def spawn(self, command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="spawner")
            executor = self._executor
        return executor.submit(_popen, list(command), options).result()


_spawner = _Spawner()
_guardian = Guardian()


def base_environment() -> dict[str, str]:
    """The environment of every child: what programs need, and the product's own settings.

    The rest of the caller's environment (proxies, tokens, Python's own switches) stays out, so
    that a stack behaves the same wherever it is started.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {k: v for k, v in os.environ.items() if k.startswith("SPEECHGATE_")}
    return {"PATH": os.defpath, "HOME": "/", **kept, "LANG": "C.UTF-8", **settings}


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def wait_until(condition: Callable[[], bool], timeout_s: float, poll_s: float = _POLL_S) -> bool:
    """Polls a condition until it holds; False when it did not within the time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_s)
    return True


@dataclass
class ChildProcess:
    """A child process and the process group it leads.

    Attributes:
        command: Program and arguments.
        env: The whole environment of the child.
        log: Its standard output and error are appended here.
        user: Account to run as; needs root.
        stop_signal: What asks it to end.
        grace_s: Seconds it has for that before it is killed.
    """

    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _reaping: threading.Lock = field(default_factory=threading.Lock, init=False)

    def start(self) -> None:
        """Starts the program; it may not be ready for use when this returns."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = _spawner.spawn(
                [*self._prefix(), *self.command],
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _guardian.watch(self._process.pid)

    def _prefix(self) -> list[str]:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise LauncherError("setpriv (package util-linux) is not installed")
        account = []
        if self.user is not None:
            account = [f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"]
        return [setpriv, "--pdeathsig", "KILL", *account, "--"]

    @property
    def pid(self) -> int | None:
        """Its process id, which is also its group's; None before the first start."""
        return self._process.pid if self._process else None

    @property
    def returncode(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.returncode if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and not self._exited(block=False)

    def _exited(self, *, block: bool) -> bool:
        """Looks for the end of the process without collecting it, so its id stays taken."""
        process = self._process
        if process is None or process.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOWAIT | (0 if block else os.WNOHANG)
        try:
            return os.waitid(os.P_PID, process.pid, flags) is not None
        except ChildProcessError:
            return True

    def wait_exit(self) -> None:
        """Blocks until the process has ended, by itself or by another thread's doing."""
        self._exited(block=True)
        self._collect()

    def signal(self, number: int) -> None:
        """Sends a signal to the process alone, if it runs."""
        with self._reaping:
            if self._process is not None and self._process.returncode is None:
                with suppress(ProcessLookupError):
                    os.kill(self._process.pid, number)

    def stop(self, grace_s: float | None = None) -> None:
        """Asks the process to end, kills it after its grace time, and sweeps its group."""
        if self._process is None:
            return
        grace_s = self.grace_s if grace_s is None else grace_s
        if grace_s > 0:
            self.signal(self.stop_signal)
            # A stopped process (SIGSTOP) gets its signal only when it continues.
            self.signal(signal.SIGCONT)
            wait_until(lambda: self._exited(block=False), grace_s)
        self.signal(signal.SIGKILL)
        self.wait_exit()

    def _collect(self) -> None:
        """Kills what is left of the group, then collects the process.

        In this order: while the leader is a zombie the group's number cannot be given away.
        """
        with self._reaping:
            process = self._process
            if process is None or process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            wait_until(lambda: not procfs.group_members(process.pid), 5.0)
            _guardian.release(process.pid)
            process.wait()
