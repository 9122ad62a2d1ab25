"""What this machine has left: disk, and file descriptors."""

import os
import resource
from collections.abc import Iterable, Sequence
from pathlib import Path

from gateway.doctor.findings import Finding, error, ok, warning
from gateway.settings import GatewaySettings

_LITTLE_BYTES, _NOTHING_BYTES = 1 << 30, 100 << 20
_MANY_BYTES = 1 << 40
_OTHER_FILES = 128
"""Databases, Redis, logs, what Python itself has open."""


def check_folders(folders: Iterable[Path]) -> Sequence[Finding]:
    """Room for spools, caches and databases; blocking."""
    return [_folder(folder) for folder in folders]


def _folder(folder: Path) -> Finding:
    check = f"folder {folder}"
    there = _nearest(folder)
    if not os.access(there, os.W_OK | os.X_OK):
        return error(check, f"{there} takes no files", "Let the account of the processes write.")
    found = os.statvfs(there)
    free = found.f_bavail * found.f_frsize
    if free < _NOTHING_BYTES or (found.f_files and not found.f_favail):
        says = f"{free >> 20} MiB and {found.f_favail} files are left"
        return error(check, says, "Make room: what a database does not take has to go somewhere.")
    if free < _LITTLE_BYTES:
        return warning(check, f"{free >> 20} MiB are left", "Make room before a database is down.")
    size = f"{free >> 30} GiB" if free < _MANY_BYTES else f"{free >> 40} TiB"
    return ok(check, f"{size} are left")


def _nearest(folder: Path) -> Path:
    """The folder itself, or the one in which it would be made."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def check_descriptors(settings: GatewaySettings) -> Sequence[Finding]:
    """Whether a gateway that is started as this command is may open what its settings allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    upstream = 3 * settings.upstream_service_max_in_flight
    wanted = settings.max_connections + upstream + settings.database_pool_size + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return [ok("file descriptors", f"{soft} may be open")]
    says = f"{soft} may be open (at most {hard}), {wanted} if all places are taken"
    mend = "Raise it (LimitNOFILE, ulimits, ulimit -n), or lower SPEECHGATE_MAX_CONNECTIONS."
    return [warning("file descriptors", says, mend)]
