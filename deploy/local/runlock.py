"""One supervisor a run folder: a lock that ends with its process, and says whose it is."""

import fcntl
import json
import os
from pathlib import Path

from deploy.local import procfs
from deploy.local.info import read_json
from deploy.local.process import LauncherError

_FILE = "stack.lock"


class RunLock:
    """Held by the process that runs the stack of a folder."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Takes the lock.

        Raises:
            LauncherError: Another stack runs in the folder.
        """
        self._run_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._run_dir / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise LauncherError(f"a stack is already up in {self._run_dir}") from None
        stat = procfs.read_stat(os.getpid())
        owner = {"pid": os.getpid(), "start_time": stat.start_time if stat else 0}
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(owner).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock back, if it is held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def owner(run_dir: Path) -> int | None:
    """The process that runs the stack of a folder; None when there is none.

    The process id is believed only together with its start time and the lock: after a reboot
    or a crash the same id may be anyone's.
    """
    content = read_json(run_dir / _FILE)
    if content is None or not _locked(run_dir):
        return None
    pid = int(content["pid"])
    return pid if procfs.is_running(pid, int(content["start_time"])) else None


def _locked(run_dir: Path) -> bool:
    try:
        descriptor = os.open(run_dir / _FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
