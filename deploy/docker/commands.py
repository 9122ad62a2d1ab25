"""Commands of the Docker client, each with a bound on how long it may take."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_TAIL_LINES = 30


class DockerError(Exception):
    """A command failed or took too long; the text is meant for a person."""


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Polls a condition until it holds.

    Raises:
        DockerError: It did not within the time; with what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            raise DockerError(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(0.5)


def run(
    command: Sequence[str],
    timeout_s: float,
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> str:
    """Runs a program to its end.

    Args:
        command: Program and arguments.
        timeout_s: After which it is killed.
        environment: More variables.
        log: File that its output is appended to instead.

    Returns:
        Its standard output; empty where it was logged.

    Raises:
        DockerError: It failed or took too long; with the end of what it said.
    """
    everything = {**os.environ, **(environment or {})}
    name = " ".join(command[:4])
    file = None if log is None else log.open("a")
    try:
        ended = subprocess.run(
            command,
            cwd=PROJECT,
            env=everything,
            stdout=subprocess.PIPE if file is None else file,
            stderr=subprocess.PIPE if file is None else subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DockerError(f"{name}: not within {timeout_s:.0f} s") from None
    except OSError as error:
        raise DockerError(f"{name}: {error.strerror}") from None
    finally:
        if file is not None:
            file.close()
    if ended.returncode != 0:
        said = log.read_text(errors="replace") if log else (ended.stderr or ended.stdout or "")
        end = "\n".join(said.splitlines()[-_TAIL_LINES:])
        raise DockerError(f"{name}: exit {ended.returncode}\n{end}")
    return ended.stdout or ""


def docker_program() -> str:
    """Debian's client before any other: it fits Debian's engine.

    Raises:
        DockerError: There is none.
    """
    for found in ("/usr/bin/docker", shutil.which("docker")):
        if found and os.access(found, os.X_OK):
            return found
    raise DockerError("no docker client: apt-get install docker.io")


@dataclass
class Docker:
    """The client of one engine.

    Attributes:
        environment: Which engine, and how it builds.
        prefix: Command that leads into the network in which published ports are found.
    """

    environment: dict[str, str] = field(default_factory=dict)
    prefix: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Builds with the engine's own builder, which needs no plug-in."""
        self.environment.setdefault("DOCKER_BUILDKIT", "0")

    def __call__(self, *arguments: str, timeout_s: float = 60.0, log: Path | None = None) -> str:
        """Runs a command of the client; its output."""
        command = [docker_program(), *arguments]
        return run(command, timeout_s, environment=self.environment, log=log)

    def answers(self) -> bool:
        """Whether the engine is there."""
        try:
            self("version", "--format", "{{.Server.Version}}", timeout_s=15.0)
        except DockerError:
            return False
        return True

    def has(self, image: str) -> bool:
        """Whether the engine has an image."""
        return bool(self("image", "ls", "--quiet", image).strip())

    def size(self, image: str) -> int:
        """Bytes of an image, its base included."""
        return int(self("image", "inspect", "--format", "{{.Size}}", image))

    def inside(self, command: Sequence[str]) -> list[str]:
        """A command as it has to be run to reach published ports."""
        return [*self.prefix, *command]

    def compose(self) -> list[str]:
        """The compose program: the plug-in, or else the program of its own.

        Raises:
            DockerError: There is neither.
        """
        plugin = [docker_program(), "compose"]
        try:
            run([*plugin, "version"], 15.0, environment=self.environment)
        except DockerError:
            program = shutil.which("docker-compose")
            if program is None:
                raise DockerError("no compose: apt-get install docker-compose") from None
            return [program]
        return plugin
