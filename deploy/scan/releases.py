"""Python packages in the images: for which of them the index has a newer release.

What an image can do about advisories is to take the release that mends one. So where the index
tells no advisories, a package of the newest release is as good as it can be; for any other, what
its newer releases mend is not known here, and it is a finding.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.docker.commands import PROJECT
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError, run

NAME = "releases"
UNCOVERED = (
    "advisories of Python packages that no release mends yet; PyPI knows them, "
    "and the package index here tells none"
)
_PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)")
# One of these has had a release in this time, or the index is an old copy.
_LIVELY = ("certifi", "fastapi", "phonenumbers", "protobuf", "regex", "uvicorn")
_LIVELY_FOR = timedelta(days=60)
# As many releases as there are; the images' own interpreter may be too old for some.
_PYTHON = "3.14"


def pins(text: str) -> dict[str, str]:
    """Versions by package, of a list as `uv pip compile` writes it."""
    return dict(_PIN.findall(text))


def behind(locked: dict[str, str], newest: dict[str, str], of: str) -> list[Finding]:
    """The packages of a list that are not of the newest release.

    Args:
        locked: Versions by package.
        newest: Of the index, for at least these packages.
        of: The list.

    Raises:
        NotScannedError: The index does not know a package.
    """
    unknown = sorted(set(locked) - set(newest))
    if unknown:
        raise NotScannedError(f"the package index does not know {', '.join(unknown)}")
    return [
        Finding(NAME, of, f"{name} {version}: {newest[name]} is out")
        for name, version in locked.items()
        if version != newest[name]
    ]


def _newest(folder: Path, names: Iterable[str], *options: str) -> dict[str, str]:
    asked = folder / "names.in"
    asked.write_text("\n".join(sorted(names)))
    command = ["uv", "pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate"]
    command += ["--no-cache", "--python-version", _PYTHON, *options, str(asked)]
    return pins(run(command, codes=(0,)))


def _check_age(folder: Path) -> None:
    """Raise NotScannedError when the index is an old copy, or tells no dates."""
    day = datetime.now(UTC) - _LIVELY_FOR
    then = _newest(folder, _LIVELY, "--exclude-newer", day.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if then == _newest(folder, _LIVELY):
        raise NotScannedError(
            f"the package index has no release of {', '.join(_LIVELY)} "
            f"of the last {_LIVELY_FOR.days} days: an old copy"
        )


def scan(folder: Path, locks: Sequence[str]) -> Iterator[Outcome]:
    """Asks for the packages of all lists at once.

    Args:
        folder: For files on the way.
        locks: Names of the lists in `requirements/`.
    """
    files = [f"requirements/{name}.txt" for name in locks]
    lists = {of: pins((PROJECT / of).read_text()) for of in files}
    _check_age(folder)
    newest = _newest(folder, {name for locked in lists.values() for name in locked})
    for of, locked in lists.items():
        found = tuple(behind(locked, newest, of))
        yield Outcome(NAME, of, f"{len(locked)} packages", found, uncovered=UNCOVERED)
