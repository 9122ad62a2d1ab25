"""The compose file on a real engine: started, asked, scaled, and robbed of a replica."""

import json
import re
import resource
import sys
import wave
from pathlib import Path
from typing import Any

from deploy.docker.commands import PROJECT, Docker, DockerError, run, wait_until

NAME = "speechgate-test"
PORT = 18_000
URL = f"http://127.0.0.1:{PORT}"
ASR = "asr-service"
REPLICAS = 3
SPREAD_GOAL = 0.15
"""Most that a replica's share may differ from an equal one."""

SLOW_START_S = 12
"""After which a replica that joined has its whole share."""

_RECORDING = Path("/usr/share/pocketsphinx/test/data/librivox")
_UP_TIMEOUT_S = 600.0
_READY_TIMEOUT_S = 300.0
_LOAD_TIMEOUT_S = 600.0
_OPEN_FILES = 65_536
_POSTS = re.compile(r'(?m)^speechgate_http_requests_total\{[^}]*method="POST"[^}]*\} ([0-9.e+]+)$')


class Composed:
    """The stack of the compose file, under a name of its own.

    Args:
        docker: Client of the engine.
        folder: For logs and recordings.
    """

    def __init__(self, docker: Docker, folder: Path) -> None:
        self._docker = docker
        self._folder = folder
        self._log = folder / "compose.log"
        # A kernel or an engine without quotas refuses a container that has one.
        quotas = docker("info", "--format", "{{.CPUCfsQuota}}").strip() == "true"
        unlimited = ("SMALL", "SERVICE", "GATEWAY", "POSTGRES", "TRITON")
        limits = {} if quotas else {f"SPEECHGATE_{name}_CPUS": "0" for name in unlimited}
        self._environment = {
            **docker.environment,
            **limits,
            **open_files(),
            "COMPOSE_PROJECT_NAME": NAME,
            "SPEECHGATE_PUBLISH": f"127.0.0.1:{PORT}",
        }
        self._program = docker.compose()

    def compose(self, *arguments: str, timeout_s: float) -> None:
        """Runs a command of compose; its output goes to the log."""
        command = [*self._program, "--file", str(PROJECT / "docker-compose.yml"), *arguments]
        run(command, timeout_s, environment=self._environment, log=self._log)

    def up(self, *more: str) -> None:
        """Starts what does not run yet; returns when the gateway is ready."""
        self.compose("up", "--detach", "--no-build", *more, timeout_s=_UP_TIMEOUT_S)
        wait_until(lambda: self.healthy("gateway") == 1, _READY_TIMEOUT_S, "a ready gateway")

    def down(self) -> None:
        """Removes everything, data included."""
        self.compose(
            "--profile", "grafana", "down", "--volumes", "--remove-orphans", timeout_s=_UP_TIMEOUT_S
        )

    def containers(self, service: str) -> list[str]:
        """The running containers of a service."""
        marks = {"project": NAME, "service": service}
        filters = [f"--filter=label=com.docker.compose.{k}={v}" for k, v in marks.items()]
        return self._docker("ps", "--quiet", "--no-trunc", *filters).split()

    def healthy(self, service: str) -> int:
        """How many containers of a service are healthy."""
        found = self.containers(service)
        if not found:
            return 0
        text = self._docker("inspect", "--format", "{{.State.Health.Status}}", *found)
        return text.split().count("healthy")

    def kill(self, container: str) -> None:
        """Kills a container, which nothing starts again."""
        self._docker("kill", container)

    def make_key(self) -> str:
        """An API key, by the command line of the gateway's image."""
        limits = [f"--per-{period}=1000000" for period in ("minute", "hour", "day")]
        command = ["keys", "create", "--name", "compose-test", "--scope", "asr:infer", *limits]
        gateway = self.containers("gateway")[0]
        return key_in(self._docker("exec", gateway, "speechgate", *command, "--json"))

    def metrics(self, container: str, port: int) -> str:
        """The metrics of a container, asked from inside: nothing else reaches it."""
        code = (
            "import urllib.request as r;"
            f"print(r.urlopen('http://127.0.0.1:{port}/metrics', timeout=5).read().decode())"
        )
        return self._docker("exec", container, "python3", "-c", code)

    def served(self, container: str) -> float:
        """Requests with a body that a replica of the ASR service answered since its start."""
        return sum(map(float, _POSTS.findall(self.metrics(container, 8001))))

    def replicas_known(self) -> int:
        """ASR replicas that the gateway has found."""
        text = self.metrics(self.containers("gateway")[0], 9000)
        found = re.search(r'(?m)^speechgate_upstream_replicas\{upstream="asr"\} ([0-9.]+)$', text)
        return int(float(found[1])) if found else 0

    def curl_of_readme(self, key: str) -> str:
        """The transcript that the README's own command gets."""
        command = self._docker.inside(["bash", "-c", readme_command()])
        variables = {"SPEECHGATE_URL": URL, "SPEECHGATE_KEY": key}
        answer = run(command, 60.0, environment=variables)
        try:
            return str(json.loads(answer)["output"][0]["source"])
        except (ValueError, KeyError, IndexError):
            raise DockerError(f"no transcript: {answer[:300]}") from None

    def load(self, key: str, recording: Path, *options: str) -> list[str]:
        """The command of a load on the gateway."""
        program = str(PROJECT / "deploy" / "docker" / "load.py")
        # The key by the environment: arguments of a process are for all to see.
        self._environment["SPEECHGATE_KEY"] = key
        return self._docker.inside([sys.executable, program, URL, str(recording), *options])

    def measured(self, command: list[str]) -> dict[str, Any]:
        """What a load prints."""
        counts: dict[str, Any] = json.loads(
            run(command, _LOAD_TIMEOUT_S, environment=self._environment)
        )
        return counts

    @property
    def environment(self) -> dict[str, str]:
        """Of compose and of the loads."""
        return dict(self._environment)

    def logs(self) -> None:
        """Keeps what the containers said, for who has to find out."""
        self.compose("logs", "--no-color", timeout_s=60.0)


def open_files() -> dict[str, str]:
    """The compose file's bound of open files, where this machine lets nobody have as many."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    lower = most != resource.RLIM_INFINITY and most < _OPEN_FILES
    return {"SPEECHGATE_OPEN_FILES": str(most)} if lower else {}


def key_in(output: str) -> str:
    """The key in what `keys create --json` printed, beside whatever it logged."""
    decoder = json.JSONDecoder()
    for start in (found.start() for found in re.finditer(r"(?m)^\{", output)):
        try:
            content, _ = decoder.raw_decode(output, start)
        except ValueError:
            continue
        if isinstance(content.get("key"), str):
            return str(content["key"])
    raise DockerError("keys create: no key in its output")


def readme_command() -> str:
    """The command by which the README transcribes a recording."""
    text = (PROJECT / "README.md").read_text()
    block = re.search(r"Transcribe a recording:\n\n```bash\n(.*?)```", text, re.DOTALL)
    if block is None:
        raise DockerError("the README has no command that transcribes")
    return block[1]


def short_recording(folder: Path, seconds: float = 1.0) -> Path:
    """The beginning of a real recording: many requests, little work for the engine."""
    source = sorted(_RECORDING.glob("*.wav"))
    if not source:
        raise DockerError(f"no recordings in {_RECORDING}: run `make setup`")
    target = folder / "short.wav"
    with wave.open(str(source[0])) as original, wave.open(str(target), "wb") as copy:
        copy.setparams(original.getparams())
        copy.writeframes(original.readframes(int(original.getframerate() * seconds)))
    return target


def deviation(counts: list[float]) -> float:
    """How far the share furthest from an equal one is from it, as a part of it."""
    mean = sum(counts) / len(counts)
    return max(abs(count - mean) for count in counts) / mean if mean else 1.0
