"""Programs of `.venv-scan`, which `make scan` sets up."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.docker.commands import PROJECT

TOOLS = PROJECT / ".venv-scan" / "bin"
_TIMEOUT_S = 600.0


class NotScannedError(Exception):
    """A scan could not be done; the text is meant for a person."""


def run(command: Sequence[str], *, codes: Sequence[int] = (0, 1)) -> str:
    """Runs a program in the project's folder; scanners end with 1 when they found something.

    Raises:
        NotScannedError: It is absent, hangs or fails; with the end of what it said.
    """
    try:
        ended = subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, "PATH": f"{TOOLS}:{os.environ.get('PATH', '')}"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotScannedError(f"{command[0]}: not within {_TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise NotScannedError(f"{command[0]}: {error.strerror}") from None
    if ended.returncode not in codes:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["said nothing"]
        raise NotScannedError(f"{command[0]}: exit {ended.returncode}: {said[-1]}")
    return ended.stdout


def run_json(command: Sequence[str]) -> Any:
    """The JSON document that a scanner prints.

    Raises:
        NotScannedError: As `run`, or it printed none.
    """
    text = run(command)
    try:
        return json.loads(text)
    except ValueError:
        raise NotScannedError(f"{command[0]}: no JSON: {text[:200]!r}") from None


def relative(path: str | Path) -> str:
    """A path as it is from the project's root."""
    return str(Path(path).resolve().relative_to(PROJECT))
