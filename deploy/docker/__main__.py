"""`python -m deploy.docker images|compose-test [--engine running|own]`.

`own` starts an engine for the time of the command and makes stand-ins for the public images;
`running` uses the machine's engine and the public images. Without the option: the running one where
there is one, else an own one.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.docker.commands import PROJECT, Docker, DockerError
from deploy.docker.compose_test import ComposeTest
from deploy.docker.engine import OwnEngine
from deploy.docker.images import Builder, report

FOLDER = PROJECT / ".run" / "docker"


@contextmanager
def engine(wanted: str | None, folder: Path) -> Iterator[tuple[Docker, bool]]:
    """The client of an engine, and whether the engine is one's own."""
    if wanted != "own":
        docker = Docker()
        try:
            found = docker.answers()
        except DockerError:
            found = False
        if found:
            yield docker, False
            return
        if wanted == "running":
            raise DockerError("no Docker engine answers")
    with OwnEngine(folder) as docker:
        yield docker, True


def main(arguments: list[str]) -> int:
    """Builds, and tests where asked to; 1 where a goal is missed, 2 where it could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m deploy.docker")
    parser.add_argument("command", choices=["images", "compose-test"])
    parser.add_argument("--engine", choices=["running", "own"])
    given = parser.parse_args(arguments)
    try:
        with engine(given.engine, FOLDER) as (docker, own):
            builder = Builder(docker, FOLDER, standins=own)
            well = report(builder.build())
            if given.command == "compose-test":
                builder.build_others()
                well = ComposeTest(docker, FOLDER).run() and well
    except DockerError as error:
        print(error, file=sys.stderr)
        return 2
    return int(not well)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
