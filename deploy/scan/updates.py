"""Debian's packages in the images: for which of them the archive has a newer release.

That is what an image can do about Debian's advisories. The archive is asked from inside each image,
with the package sources that it has, those of the security team among them.
"""

import re
from collections.abc import Iterator

from deploy.docker.commands import Docker
from deploy.scan.built import each_image
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError

NAME = "updates"
_TIMEOUT_S = 300.0
_QUESTIONS = (
    "apt-get -qq -o APT::Update::Error-Mode=any update"
    " && apt-cache policy"
    " && dpkg-query --show --showformat='installed ${Package}\\n'"
    " && apt-get -qq --simulate dist-upgrade"
)
_SECURITY = re.compile(r"(?m)^\s+release .*\b[an]=[a-z]+-security\b")
_INSTALLED = re.compile(r"(?m)^installed \S+$")
_NEWER = re.compile(r"(?m)^Inst (\S+) \[([^]]+)\] \((\S+) ([^)\[]*)")


def read(answers: str, of: str) -> tuple[int, list[Finding]]:
    """The number of packages of an image, and those with an update.

    Args:
        answers: What apt and dpkg print.
        of: The image.

    Raises:
        NotScannedError: The security team's archive is not among the sources, or nothing is
            installed: no update would be found then.
    """
    count = len(_INSTALLED.findall(answers))
    if not _SECURITY.search(answers):
        raise NotScannedError(f"{of}: no security archive among its package sources")
    if not count:
        raise NotScannedError(f"{of}: no packages")
    newer = _NEWER.findall(answers)
    return count, [
        Finding(NAME, of, f"{package} {installed}: {release} is out ({source.strip()})")
        for package, installed, release, source in newer
    ]


def _look(docker: Docker, image: str) -> tuple[str, list[Finding]]:
    command = ["run", "--rm", "--network", "host", "--user", "0", "--entrypoint", "/bin/sh"]
    answers = docker(*command, image, "-c", _QUESTIONS, timeout_s=_TIMEOUT_S)
    count, found = read(answers, image)
    return f"{count} packages", found


def scan(wanted: str | None) -> Iterator[Outcome]:
    """Scans the images of an engine.

    Args:
        wanted: The engine, as for `make images`.
    """
    return each_image(NAME, wanted, _look)
