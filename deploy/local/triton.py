"""Triton Inference Server as a child process, with its models kept whole."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local import procfs
from deploy.local.component import Component
from deploy.local.ports import HOST, PortAllocator
from deploy.local.process import ChildProcess, base_environment
from deploy.local.triton_client import TritonClient, TritonUnavailableError
from deploy.local.triton_repository import (
    TritonInstallation,
    copy_repository,
    default_models,
)
from deploy.local.triton_tracing import trace_arguments
from deploy.local.triton_watchdog import StubWatchdog

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_VENV = PROJECT / ".venv-triton"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Triton puts it
_MEMORY = "speechgate_"
_WARM_UP_TIMEOUT_S = 20.0
_EXTRA_TIMEOUT_S = 600.0  # Large weights from a slow disk.


@dataclass(frozen=True)
class TritonPorts:
    """The three ports of a server, on loopback."""

    http: int
    grpc: int
    metrics: int

    @classmethod
    def lease(cls, allocator: PortAllocator, preferred: dict[str, int]) -> "TritonPorts":
        """Leases free ports, those of an earlier run if they are free."""
        names = ("http", "grpc", "metrics")
        return cls(*(allocator.lease([preferred.get(f"triton-{name}")]) for name in names))


class TritonServer(Component):
    """One server over a model repository.

    Args:
        repository: The model repository; never written to.
        run_dir: Folder for the runtime copy of it and the logs.
        models: Names of the models to load; when None, all that need no weights of the user.
        extra: Names of further models, loaded when the server is ready. One that does not load
            is noted in the log, and the server serves the others.
        ports: Addresses; free ones when None.
        venv: The Triton interpreter.
        instances: Instances of each model; None for the default (one a core).
        probe_every_s: Seconds between the tiny inferences that show a model is alive.
        otlp_endpoint: Base URL of a receiver of traces; None for none.
    """

    start_timeout_s = 120.0

    def __init__(
        self,
        repository: Path,
        run_dir: Path,
        models: Sequence[str] | None = None,
        extra: Sequence[str] = (),
        ports: TritonPorts | None = None,
        *,
        venv: Path = DEFAULT_VENV,
        instances: int | None = None,
        probe_every_s: float = 5.0,
        otlp_endpoint: str | None = None,
    ) -> None:
        run_dir = run_dir.resolve()
        super().__init__("triton", run_dir / "log" / "triton.log")
        self._allocator = PortAllocator()
        self.ports = ports or TritonPorts.lease(self._allocator, {})
        self.url = self.address = f"http://{HOST}:{self.ports.http}"
        self.grpc_url = f"{HOST}:{self.ports.grpc}"
        self.metrics_url = f"http://{HOST}:{self.ports.metrics}/metrics"
        self.models = sorted(models) if models is not None else default_models(repository)
        self.extra = sorted(set(extra) - set(self.models))
        self.client = TritonClient(HOST, self.ports.http)
        self._source = repository
        self._instances = instances
        self._otlp_endpoint = otlp_endpoint
        self._folder = run_dir / "triton"
        self._repository = self._folder / "models"
        self._installation = TritonInstallation(venv.absolute())
        self._library_path: str | None = None
        # Of this process and folder, so that a sweep touches no other server's memory.
        digest = hashlib.sha256(str(run_dir).encode()).hexdigest()[:12]
        self._memory_prefix = f"{_MEMORY}{os.getpid()}_{digest}_"
        self._warm: set[str] = set()
        self._watchdog = StubWatchdog(
            self.client, self._repository, [*self.models, *self.extra], probe_every_s
        )

    @property
    def reloads(self) -> int:
        """How often the watchdog reloaded a model."""
        return self._watchdog.reloads

    def stub_pids(self, model: str) -> list[int]:
        """The Python processes of a model, one an instance."""
        return sorted(pid for pid, name in self._watchdog.stubs().items() if name == model)

    def prepare(self) -> None:
        """Makes the backend folder and the repository's copy; frees a dead server's memory."""
        self._sweep()
        self._warm.clear()
        self._installation.make_backends(self._folder / "backends")
        copy_repository(
            self._source, self._repository, [*self.models, *self.extra], self._instances
        )
        if self._library_path is None:
            self._library_path = self._installation.library_path()

    def make_process(self) -> ChildProcess:
        """The server on loopback, with exactly the named models (explicit model control)."""
        installation = self._installation
        env = base_environment()
        # The stubs take their prefix, and with it their packages, from python3 on PATH.
        env["PATH"] = f"{installation.venv / 'bin'}:{env['PATH']}"
        if self._library_path:
            env["LD_LIBRARY_PATH"] = self._library_path
        command = [
            str(installation.server),
            f"--model-repository={self._repository}",
            f"--backend-directory={self._folder / 'backends'}",
            f"--cache-directory={installation.root / 'caches'}",
            f"--backend-config=python,shm-region-prefix-name={self._memory_prefix}",
            "--disable-auto-complete-config",
            "--model-control-mode=explicit",
            *(f"--load-model={model}" for model in self.models),
            *(f"--{kind}-address={HOST}" for kind in ("http", "grpc", "metrics")),
            f"--http-port={self.ports.http}",
            f"--grpc-port={self.ports.grpc}",
            f"--metrics-port={self.ports.metrics}",
            "--exit-timeout-secs=5",
            *trace_arguments(self._otlp_endpoint),
        ]
        # A server without requests keeps nothing worth a slow end (4 s, all of it sleeps in
        # the backend), and its clients are drained before it: a short grace will do.
        return ChildProcess(command, env, self.log, grace_s=1.0)

    def probe(self) -> bool:
        """Up with its models, and each has answered a tiny inference since the start."""
        if not self.client.ready():
            return False
        with suppress(TritonUnavailableError):
            for model in self.models:
                if model not in self._warm:
                    if not self.client.answers(model, _WARM_UP_TIMEOUT_S):
                        return False
                    self._warm.add(model)
            return True
        return False

    def on_ready(self) -> None:
        """Watches the models' processes from now on."""
        if self.pid is not None:
            self._watchdog.start(self.pid)
        with suppress(TritonUnavailableError):  # It ends again: the next start tries again.
            for model in self.extra:
                failure = self.client.load_failure(model, _EXTRA_TIMEOUT_S)
                if failure is not None:
                    self._note(f"{model} is not served: {failure}")

    def stop(self, grace_s: float | None = None) -> None:
        """Stops the server; the end of its models' processes is wanted now."""
        self._watchdog.disarm()
        super().stop(grace_s)

    def on_exit(self) -> None:
        """Ends the watching and frees the shared memory."""
        self._watchdog.stop()
        self._sweep()

    def close(self) -> None:
        """Stops the server and removes its runtime folder and leases."""
        self.stop()
        self._allocator.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _note(self, text: str) -> None:
        with suppress(OSError), self.log.open("a") as log:
            log.write(f"launcher: {text}\n")

    def _sweep(self) -> None:
        """Removes the regions of this server, and of launchers that were killed."""
        for region in _SHARED_MEMORY.glob(f"{_MEMORY}*"):
            pid = region.name.removeprefix(_MEMORY).split("_")[0]
            abandoned = pid.isdigit() and not procfs.is_running(int(pid))
            if abandoned or region.name.startswith(self._memory_prefix):
                with suppress(OSError):
                    region.unlink()
