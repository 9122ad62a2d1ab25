"""detect-secrets over every file that git tracks."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.docker.commands import PROJECT
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError, relative, run, run_json

NAME = "detect-secrets"
# Hashes of packages look random because they are. Such a line is left out; it has nothing else.
HASHES = "hash=sha256:[0-9a-f]{64}"
_CONTROL_TYPE = "Private Key"


def read(document: dict[str, Any], control: Path) -> list[Finding]:
    """The findings of a report.

    Args:
        document: As detect-secrets prints it.
        control: A file with a private key that was among the others.

    Raises:
        NotScannedError: That was not found.
    """
    # It makes paths below the current folder relative.
    results = {PROJECT / name: secrets for name, secrets in document["results"].items()}
    if _CONTROL_TYPE not in {one["type"] for one in results.pop(control, ())}:
        raise NotScannedError("it does not find a private key")
    found = []
    for path, secrets in sorted(results.items()):
        lines = path.read_text(errors="replace").splitlines()
        for one in secrets:
            number = one["line_number"]
            found.append(
                Finding(NAME, f"{relative(path)}:{number}", one["type"], lines[number - 1])
            )
    return found


def private_key() -> str:
    """What looks like a private key, and opens nothing."""
    body = base64.encodebytes(os.urandom(48)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n"


def scan(folder: Path) -> Iterator[Outcome]:
    """Scans; the folder is for files on the way. What is found is not tried anywhere."""
    files = run(["git", "ls-files", "-z"], codes=(0,)).split("\0")
    files = [name for name in files if name and (PROJECT / name).is_file()]
    control = folder / "bad.txt"
    control.write_text(private_key())
    command = ["detect-secrets", "--cores", "2", "scan", "--no-verify", "--exclude-lines", HASHES]
    document = run_json([*command, *files, str(control)])
    yield Outcome(NAME, "tracked files", f"{len(files)} files", tuple(read(document, control)))
