"""`python -m deploy.scan [part …] [--engine running|own]`; without a part, all without an image."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from deploy.docker.commands import PROJECT
from deploy.scan import dockerfiles, images, packages, policies, secrets, updates
from deploy.scan.report import Outcome, Report, read_known
from deploy.scan.tools import NotScannedError

KNOWN = Path(__file__).with_name("known.toml")
_WORK = PROJECT / ".run" / "scan"
Scan = Callable[[Path], Iterable[Outcome]]
PARTS: dict[str, tuple[str, Scan]] = {
    "dockerfiles": (dockerfiles.NAME, dockerfiles.scan),
    "policies": (policies.NAME, policies.scan),
    "secrets": (secrets.NAME, secrets.scan),
    "packages": (packages.NAME, packages.scan),
}


def _run(name: str, scan: Scan) -> Iterator[Outcome]:
    """The outcomes of a scan; a failure is one of them."""
    with tempfile.TemporaryDirectory(dir=_WORK) as folder:
        try:
            yield from scan(Path(folder))
        except NotScannedError as error:
            yield Outcome(name, "", "", missed=str(error))


def main(arguments: list[str]) -> int:
    """Scans and prints; 1 with findings, 2 when something could not be scanned."""
    parser = argparse.ArgumentParser(prog="python -m deploy.scan")
    parser.add_argument("part", nargs="*", help=", ".join([*PARTS, "images", "updates"]))
    parser.add_argument("--engine", choices=["running", "own"])
    given = parser.parse_args(arguments)
    parts = dict(PARTS)
    parts["images"] = (images.NAME, partial(images.scan, wanted=given.engine))
    parts["updates"] = (updates.NAME, lambda _: updates.scan(given.engine))
    unknown = set(given.part) - set(parts)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    _WORK.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    for part in given.part or PARTS:
        print(f"scanning {part} …", flush=True)
        outcomes += _run(*parts[part])
    report = Report(outcomes, read_known(KNOWN))
    print(f"\n{report.text()}")
    return report.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
