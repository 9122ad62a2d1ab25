"""What a container does before its program: settings from files, and a spool folder of its own.

`entrypoint.py PROGRAM ARGUMENT…` becomes the program. Nothing but the standard library is used.

- A setting that holds a password may be given as a file: `SPEECHGATE_DATABASE_URL_FILE`.
- Replicas of a service share one volume, and a spool belongs to one process. Each takes a folder
  of it that no other one holds, by a lock that ends with the process, however that ends. One
  with results that wait for the database is taken first, so that none are left behind.
"""

import fcntl
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

FROM_FILES = ("SPEECHGATE_DATABASE_URL", "SPEECHGATE_REDIS_URL")
SLOTS = "SPEECHGATE_SPOOL_SLOTS"
_SPOOL = "SPEECHGATE_SPOOL_DIR"
_MOST_SLOTS = 1000


class EntrypointError(Exception):
    """The container cannot start; the text is meant for a person."""


def read_files(environment: MutableMapping[str, str]) -> None:
    """Sets the settings whose values are in files; a value that is given directly wins."""
    for name in FROM_FILES:
        path = environment.get(f"{name}_FILE")
        if not path or name in environment:
            continue
        try:
            environment[name] = Path(path).read_text().strip()
        except OSError as error:
            raise EntrypointError(f"{name}_FILE: {path}: {error.strerror}") from None


def _lock(folder: Path) -> int | None:
    """Locks a folder for this process and what it becomes; None when another one holds it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - it takes no keyword
    return descriptor


def claim_slot(root: Path) -> Path:
    """A spool folder that no other process holds, for as long as this one runs.

    Raises:
        EntrypointError: All are held, or the volume cannot be written to.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting = {found.parent for found in root.glob("slot-*/*.json")}
        known = [root / f"slot-{number:03}" for number in range(_MOST_SLOTS)]
        for folder in sorted(known, key=lambda one: (one not in waiting, one.name)):
            if _lock(folder) is not None:
                return folder
    except OSError as error:
        raise EntrypointError(f"{SLOTS}: {root}: {error.strerror}") from None
    raise EntrypointError(f"{SLOTS}: all {_MOST_SLOTS} folders of {root} are in use")


def prepare(environment: MutableMapping[str, str]) -> None:
    """Completes the environment of the program."""
    read_files(environment)
    root = environment.get(SLOTS)
    if root and _SPOOL not in environment:
        environment[_SPOOL] = str(claim_slot(Path(root)))


def main(arguments: list[str]) -> None:
    """Becomes the program."""
    if not arguments:
        raise SystemExit("usage: entrypoint.py PROGRAM ARGUMENT…")
    environment = dict(os.environ)
    try:
        prepare(environment)
    except EntrypointError as error:
        raise SystemExit(str(error)) from None
    os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main(sys.argv[1:])
