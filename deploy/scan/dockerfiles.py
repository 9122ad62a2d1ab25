"""hadolint over every Dockerfile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.docker.commands import PROJECT
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError, relative, run_json

NAME = "hadolint"
BAD = "FROM debian\n"
_BAD_RULE = "DL3006"  # The base has no tag.


def dockerfiles() -> list[Path]:
    """Every Dockerfile of the project."""
    return sorted((PROJECT / "deploy" / "docker").rglob("*.Dockerfile"))


def read(document: list[dict[str, Any]], control: Path) -> list[Finding]:
    """The findings of a report.

    Args:
        document: As hadolint prints it.
        control: A bad Dockerfile that was among the others.

    Raises:
        NotScannedError: It took that for a good one.
    """
    if not any(one["file"] == str(control) and one["code"] == _BAD_RULE for one in document):
        raise NotScannedError("it does not object to a base without a tag")
    return [
        Finding(NAME, f"{relative(one['file'])}:{one['line']}", f"{one['code']} {one['message']}")
        for one in document
        if one["file"] != str(control)
    ]


def scan(folder: Path) -> Iterator[Outcome]:
    """Scans; the folder is for files on the way."""
    files = dockerfiles()
    control = folder / "bad.Dockerfile"
    control.write_text(BAD)
    document = run_json(["hadolint", "--format", "json", *map(str, files), str(control)])
    found = read(document, control)
    yield Outcome(NAME, "deploy/docker", f"{len(files)} files", tuple(found))
