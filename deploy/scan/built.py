"""A scan of each image that `make images` built."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from deploy.docker.__main__ import FOLDER, engine
from deploy.docker.commands import Docker, DockerError
from deploy.docker.images import NAMES, tag
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError

Look = Callable[[Docker, str], tuple[str, Sequence[Finding]]]
"""Looks at one image of an engine: how much it looked at, and what it found."""


def each_image(scan: str, wanted: str | None, look: Look) -> Iterator[Outcome]:
    """The outcome for each image.

    Args:
        scan: Its name.
        wanted: The engine, as for `make images`.
        look: Raises `DockerError` or `NotScannedError` where it could not.
    """
    with ExitStack() as stack:
        try:
            docker, _ = stack.enter_context(engine(wanted, FOLDER))
        except DockerError as error:
            yield Outcome(scan, "speechgate/…", "", missed=str(error))
            return
        for image in map(tag, NAMES):
            if not docker.has(image):
                yield Outcome(scan, image, "", missed=f"{image} is not there: `make images`")
                continue
            try:
                size, found = look(docker, image)
            except (DockerError, NotScannedError) as error:
                yield Outcome(scan, image, "", missed=str(error))
            else:
                yield Outcome(scan, image, size, tuple(found))
