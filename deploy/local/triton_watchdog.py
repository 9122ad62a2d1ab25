"""Brings back a Triton model whose Python process died.

Each instance of a Python model is a process of its own, the stub. When one dies, Triton keeps
the model READY and answers its share of the requests with errors, for ever. The cure is to
unload and load the model.

Two detectors: a pidfd (pidfd_open(2)) on every stub tells its death at once; a tiny inference
now and then is the truth, and also finds a process that lives but answers no more.
"""

import os
import select
import signal
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from deploy.local import procfs
from deploy.local.triton_client import TritonClient, TritonUnavailableError

_STUB = "triton_python_backend_stub"
_MODEL_ARGUMENT = 1  # <stub> <model.py> <shared memory> <size> <growth> <server's pid> …
_PROBE_TIMEOUT_S = 10.0
_ATTEMPTS = 5
# Triton may refuse a load while it still buries the old instances.
_PAUSE_S = 1.5
# A hanging stub still looks for its server now and then: 0.7 % of a core. One that works
# gets more than this share even on a machine with far too much to do.
_WORKING_SHARE = 0.02
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_A_LOT = 10**9


def stubs(server_pid: int, repository: Path) -> dict[int, str]:
    """The running Python processes of a server, and the model each runs."""
    found = {}
    for pid in procfs.children(server_pid):
        arguments = procfs.command_line(pid)
        if len(arguments) > _MODEL_ARGUMENT and arguments[0].endswith(_STUB):
            path = Path(arguments[_MODEL_ARGUMENT])
            if path.is_relative_to(repository) and procfs.is_running(pid):
                found[pid] = path.relative_to(repository).parts[0]
    return found


def _cpu(pids: list[int]) -> dict[int, int]:
    """The processor time of those that run, in ticks."""
    stats = (procfs.read_stat(pid) for pid in pids)
    return {stat.pid: stat.cpu_ticks for stat in stats if stat and stat.alive}


class StubWatchdog:
    """Watches the stubs of one server process, from `start` until it ends or `stop`.

    Attributes:
        reloads: How often a model was reloaded.
    """

    def __init__(
        self, client: TritonClient, repository: Path, models: list[str], probe_every_s: float
    ) -> None:
        self.reloads = 0
        self._client = client
        self._repository = repository
        self._models = models
        self._probe_every_s = probe_every_s
        self._log = repository.parent / "watchdog.log"
        self._server_pid = 0
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = -1, -1
        self._stopped = threading.Event()
        self._ending = threading.Lock()
        # Processes of instances that a reload replaced: when last seen, with how many ticks.
        self._replaced: dict[int, tuple[float, int]] = {}

    def start(self, server_pid: int) -> None:
        """Watches a server that is ready."""
        self.stop()
        self._server_pid = server_pid
        self._replaced.clear()
        self._stopped.clear()
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="triton-watchdog", daemon=True)
        self._thread.start()

    def disarm(self) -> None:
        """Reloads nothing more: the server is about to be stopped."""
        self._stopped.set()

    def stop(self) -> None:
        """Ends the watching; a call in progress ends with the server."""
        # Whoever notices the server's end calls this, perhaps two threads at once.
        with self._ending:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopped.set()
        os.write(self._wake_write, b"x")
        if thread is not threading.current_thread():
            thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        probe_at = time.monotonic() + self._probe_every_s
        while not self._stopped.is_set():
            watched = self.stubs()
            ended = self._wait_for_end(watched, max(0.0, probe_at - time.monotonic()))
            if self._stopped.is_set() or not procfs.is_running(self._server_pid):
                return
            for model in {watched[pid] for pid in ended}:
                old = {pid for pid in watched if watched[pid] == model}
                if self._is_short(model, len(old)):
                    self._recover(model, old)
            if time.monotonic() >= probe_at:
                self._probe_all()
                probe_at = time.monotonic() + self._probe_every_s

    def stubs(self) -> dict[int, str]:
        """The processes in use, and the model of each.

        Without those of replaced instances, which may still finish a request.
        """
        running = stubs(self._server_pid, self._repository)
        return {pid: model for pid, model in running.items() if pid not in self._replaced}

    def _is_short(self, model: str, instances: int) -> bool:
        """Whether a loaded model has lost a process, rather than been unloaded by someone."""
        with suppress(TritonUnavailableError):
            if self._client.state(model) == "READY":
                return list(self.stubs().values()).count(model) < instances
        return False

    def _probe_all(self) -> None:
        # Once for all: the server has hundreds of threads to ask for their children.
        running = self.stubs()
        for model in self._models:
            if not self._alive(model, [pid for pid, of in running.items() if of == model]):
                self._recover(model, {pid for pid, of in self.stubs().items() if of == model})
        if self._replaced:
            self._bury()

    def _wait_for_end(self, pids: dict[int, str], timeout_s: float) -> list[int]:
        """Waits until a stub ends; returns those that did, none after the timeout."""
        with ExitStack() as stack:
            poll = select.poll()
            poll.register(self._wake_read, select.POLLIN)
            by_descriptor: dict[int, int] = {}
            for pid in (*pids, self._server_pid):
                try:
                    descriptor = os.pidfd_open(pid)
                except ProcessLookupError:
                    return [pid] if pid in pids else []
                stack.callback(os.close, descriptor)
                by_descriptor[descriptor] = pid
                poll.register(descriptor, select.POLLIN)
            events = poll.poll(timeout_s * 1000)
            ended = [by_descriptor[fd] for fd, _ in events if fd in by_descriptor]
            return [pid for pid in ended if pid != self._server_pid]

    def _alive(self, model: str, pids: list[int]) -> bool:
        """Makes a tiny inference. Silence is death only when no process works meanwhile."""
        began = time.monotonic()
        before = _cpu(pids)
        try:
            if self._client.state(model) != "READY":
                return True  # unloaded on purpose, or just being loaded: not ours
            return self._client.answers(model, _PROBE_TIMEOUT_S)
        except TritonUnavailableError:
            after = _cpu(pids)
            # A free instance would have answered, so each one works or hangs.
            least = (time.monotonic() - began) * _TICKS_PER_S * _WORKING_SHARE
            return all(after[pid] - before[pid] >= least for pid in after if pid in before)

    def _recover(self, model: str, old: set[int]) -> None:
        """Reloads a model; after several failures kills the server, to be restarted whole."""
        self._note(f"{model}: a process ended or hangs, reloading")
        for attempt in range(_ATTEMPTS):
            if self._stopped.wait(_PAUSE_S if attempt else 0.0):
                return
            # No answer: the server is going away itself, or the next attempt will do.
            with suppress(TritonUnavailableError):
                self._client.unload(model)
                if self._client.load(model) and self._client.answers(model, _PROBE_TIMEOUT_S):
                    self.reloads += 1
                    for pid in old:
                        # It gets one more period: by then it ended, or shows that it works.
                        self._replaced[pid] = (time.monotonic(), -_A_LOT)
                    self._note(f"{model}: whole again (attempt {attempt + 1})")
                    return
        self._note(f"{model}: gave up, killing the server")
        if not self._stopped.is_set() and procfs.is_running(self._server_pid):
            os.kill(self._server_pid, signal.SIGKILL)

    def _bury(self) -> None:
        """Kills replaced processes that hang; those that work finish their request first."""
        running = stubs(self._server_pid, self._repository)
        now = time.monotonic()
        for pid, (then, ticks) in list(self._replaced.items()):
            stat = procfs.read_stat(pid) if pid in running else None
            if stat is None:
                del self._replaced[pid]
            elif stat.cpu_ticks - ticks < (now - then) * _TICKS_PER_S * _WORKING_SHARE:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            else:
                self._replaced[pid] = (now, stat.cpu_ticks)

    def _note(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
        with suppress(OSError), self._log.open("a") as log:
            log.write(f"{stamp} {text}\n")
