"""pip-audit over the locked Python packages of every image, by what PyPI knows of them.

An index that tells no advisories is asked for newer releases instead.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.docker.commands import PROJECT
from deploy.scan import releases
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError, run_json

NAME = "pip-audit"
LOCKS = ("gateway", "asr", "tts", "nlp", "triton", "triton-engines")
# Has had advisories for years: an index that tells none of them tells none of others.
_CONTROL = "requests==2.19.0"


def read(document: dict[str, Any], of: str) -> list[Finding]:
    """The findings of a report.

    Args:
        document: As pip-audit prints it.
        of: The list of packages.

    Raises:
        NotScannedError: A package was passed over, which pip-audit does not count as a failure.
    """
    skipped = [one for one in document["dependencies"] if "skip_reason" in one]
    if skipped:
        raise NotScannedError(f"{len(skipped)} passed over: {skipped[0]['skip_reason']}")
    return [
        Finding(
            NAME,
            of,
            f"{one['name']} {one['version']} {flaw['id']}, mended in "
            f"{', '.join(flaw['fix_versions']) or 'no release'}",
        )
        for one in document["dependencies"]
        for flaw in one["vulns"]
    ]


def _audit(path: Path, of: str, *options: str) -> list[Finding]:
    cache = PROJECT / ".run" / "scan" / "pip-audit"
    command = ["pip-audit", "--disable-pip", "--vulnerability-service", "pypi", "--format", "json"]
    command += ["--progress-spinner", "off", "--cache-dir", str(cache), *options]
    return read(run_json([*command, "--requirement", str(path)]), of)


def _answers(folder: Path) -> str:
    """Why the index's knowledge of vulnerabilities cannot be had; empty where it can."""
    control = folder / "bad.txt"
    control.write_text(f"{_CONTROL}\n")
    try:
        found = _audit(control, "control", "--no-deps")
    except NotScannedError as error:
        return f"the package index tells no vulnerabilities: {error}"
    return "" if found else f"the package index tells no vulnerability of {_CONTROL}"


def scan(folder: Path) -> Iterator[Outcome]:
    """Scans; the folder is for files on the way."""
    missed = _answers(folder)
    if missed:
        print(f"{missed}; it is asked for newer releases")
        yield from releases.scan(folder, LOCKS)
        return
    for name in LOCKS:
        of = f"requirements/{name}.txt"
        size = f"{len(releases.pins((PROJECT / of).read_text()))} packages"
        try:
            yield Outcome(NAME, of, size, tuple(_audit(PROJECT / of, of, "--require-hashes")))
        except NotScannedError as error:
            yield Outcome(NAME, of, size, missed=f"{of}: {error}")
