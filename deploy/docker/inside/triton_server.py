"""Triton with its models kept whole, as the one process of a container.

`python -m deploy.docker.inside.triton_server serve|check`

A Python model's process that died is never started again by the server, which stays healthy
meanwhile. So this process stays beside the server: it makes the runtime copy of the model
repository, starts the server, asks each model for a tiny inference, watches the models' processes
from then on, and ends with the server. `check` is the image's HEALTHCHECK.

Environment:
    SPEECHGATE_TRITON_INSTANCES: Instances of each model; one a core where it is empty.
    SPEECHGATE_TRITON_EXTRA_MODELS: Models with weights of one's own, loaded beside the others.
    SPEECHGATE_TRITON_REPOSITORY: The model repository; the image's own one unless told otherwise.
    SPEECHGATE_TRITON_START_TIMEOUT_S: For the models to answer; 300.
    SPEECHGATE_OTLP_ENDPOINT: Receiver of traces, as for the other processes; empty for none.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from deploy.local.process import LauncherError
from deploy.local.triton_client import TritonClient, TritonUnavailableError
from deploy.local.triton_repository import copy_repository, default_models
from deploy.local.triton_tracing import ENDPOINT, trace_arguments
from deploy.local.triton_watchdog import StubWatchdog

HTTP_PORT, GRPC_PORT, METRICS_PORT = 8000, 8001, 8002
RUNTIME = Path("/run/speechgate")
REPOSITORY = Path("/opt/speechgate/triton_models")
_POLL_S = 0.2
_WARM_UP_TIMEOUT_S = 30.0
_EXTRA_TIMEOUT_S = 600.0  # Large weights from a slow disk.
_PROBE_EVERY_S = 5.0
_EXIT_TIMEOUT_S = 15


@dataclass(frozen=True)
class Options:
    """What the environment says.

    Attributes:
        repository: The model repository; never written to.
        instances: Instances of each model; None for one a core.
        extra: Models to be loaded when the others answer.
        start_timeout_s: For the others to answer.
        otlp_endpoint: Base URL of a receiver of traces; None for none.
    """

    repository: Path = REPOSITORY
    instances: int | None = None
    extra: tuple[str, ...] = ()
    start_timeout_s: float = 300.0
    otlp_endpoint: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Options":
        """The options of an environment; empty values count as absent."""
        instances = environment.get("SPEECHGATE_TRITON_INSTANCES")
        extra = environment.get("SPEECHGATE_TRITON_EXTRA_MODELS", "")
        return cls(
            repository=Path(environment.get("SPEECHGATE_TRITON_REPOSITORY") or REPOSITORY),
            instances=int(instances) if instances else None,
            extra=tuple(name.strip() for name in extra.split(",") if name.strip()),
            start_timeout_s=float(environment.get("SPEECHGATE_TRITON_START_TIMEOUT_S") or 300.0),
            otlp_endpoint=environment.get(ENDPOINT) or None,
        )


def command(repository: Path, models: list[str], otlp_endpoint: str | None = None) -> list[str]:
    """The server's command line: exactly the named models, and others on request."""
    return [
        "tritonserver",
        f"--model-repository={repository}",
        "--disable-auto-complete-config",
        "--model-control-mode=explicit",
        *(f"--load-model={model}" for model in models),
        f"--http-port={HTTP_PORT}",
        f"--grpc-port={GRPC_PORT}",
        f"--metrics-port={METRICS_PORT}",
        f"--exit-timeout-secs={_EXIT_TIMEOUT_S}",
        *trace_arguments(otlp_endpoint),
    ]


class _Watchdog(StubWatchdog):
    """What it has to say belongs to the container's log, not to a file."""

    def _note(self, text: str) -> None:
        print(f"triton: {text}", flush=True)


class Container:
    """The server and what keeps its models whole.

    Args:
        options: From the environment.
        runtime: A folder that is empty at each start and may be in memory.
    """

    def __init__(self, options: Options, runtime: Path = RUNTIME) -> None:
        self._options = options
        self._repository = runtime / "models"
        self._ready_mark = runtime / "ready"
        self.models = default_models(options.repository)
        self.extra = sorted(set(options.extra) - set(self.models))
        self._client = TritonClient("127.0.0.1", HTTP_PORT)
        everything = [*self.models, *self.extra]
        self._watchdog = _Watchdog(self._client, self._repository, everything, _PROBE_EVERY_S)
        self._server: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Runs the server to its end.

        Returns:
            Its exit status; 1 where its models did not answer in time.
        """
        self._ready_mark.unlink(missing_ok=True)
        copy_repository(
            self._options.repository,
            self._repository,
            [*self.models, *self.extra],
            self._options.instances,
        )
        self._server = subprocess.Popen(
            command(self._repository, self.models, self._options.otlp_endpoint)
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if self._wait_until_whole():
            self._watchdog.start(self._server.pid)
            self._ready_mark.touch()
            self._load_extra()
        elif not self._stopping:
            print("triton: the models did not answer in time", flush=True)
            self._server.kill()
        status = self._server.wait()
        self._ready_mark.unlink(missing_ok=True)
        self._watchdog.stop()
        return max(status, 1) if not self._stopping else 0

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._stopping = True
        self._ready_mark.unlink(missing_ok=True)
        self._watchdog.disarm()
        if self._server is not None:
            self._server.send_signal(number)

    def _wait_until_whole(self) -> bool:
        """Whether each model answered a tiny inference in time."""
        deadline = time.monotonic() + self._options.start_timeout_s
        cold = set(self.models)
        while cold and not self._stopping:
            if self._server is None or self._server.poll() is not None:
                return False
            if time.monotonic() > deadline:
                return False
            if self._client.ready():
                with suppress(TritonUnavailableError):
                    cold -= {m for m in cold if self._client.answers(m, _WARM_UP_TIMEOUT_S)}
            if cold:
                time.sleep(_POLL_S)
        return not self._stopping

    def _load_extra(self) -> None:
        """One that cannot be loaded is said, and the server serves the others."""
        with suppress(TritonUnavailableError):
            for model in self.extra:
                failure = self._client.load_failure(model, _EXTRA_TIMEOUT_S)
                text = "is served" if failure is None else f"is not served: {failure}"
                print(f"triton: {model} {text}", flush=True)


def is_whole(runtime: Path = RUNTIME) -> bool:
    """Whether the models answered since the start, and the server takes requests."""
    return (runtime / "ready").exists() and TritonClient("127.0.0.1", HTTP_PORT).ready()


def main(arguments: list[str]) -> int:
    """Serves, or checks."""
    if arguments == ["check"]:
        return int(not is_whole())
    if arguments != ["serve"]:
        print("usage: triton_server serve|check", file=sys.stderr)
        return 2
    try:
        return Container(Options.read(os.environ)).run()
    except (LauncherError, ValueError) as error:
        print(f"triton: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
