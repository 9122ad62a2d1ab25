"""A PostgreSQL cluster of its own as a child process, on loopback.

Connections are trusted: the cluster is for one developer's machine, listens on loopback only,
and its user for the services is no superuser.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from deploy.local import procfs
from deploy.local.component import Component
from deploy.local.ports import HOST, PortAllocator
from deploy.local.process import ChildProcess, LauncherError, base_environment, wait_until

USER = "speechgate"
_SUPERUSER = "postgres"
_LOCALE = "C.UTF-8"
_PREFIX = "speechgate-postgres-"
_OWNER = "run-dir"


def programs() -> Path:
    """The newest installed server's folder; Debian keeps it off PATH."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    found = [folder for folder in folders if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    program = shutil.which("initdb")
    if program is None:
        raise LauncherError("PostgreSQL is not installed: run `make setup`")
    return Path(program).resolve().parent


def _traversable(folder: Path) -> bool:
    """Whether any account may pass through a folder and all those above it."""
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))


def _remove_abandoned() -> None:
    """Removes clusters in the temporary folder whose run folder is gone."""
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        with suppress(OSError):
            if not Path(owner.read_text()).exists():
                shutil.rmtree(owner.parent, ignore_errors=True)


class PostgresCluster(Component):
    """One cluster; its data outlives a stop, and goes with `purge`.

    Args:
        run_dir: Folder for the data (or, where the server's account cannot reach that, for a
            note of where in the temporary folder the data is) and the log.
        port: Address; a free one when None.
        fsync: Whether commits reach the disk; only tests may do without.
    """

    start_timeout_s = 60.0

    def __init__(self, run_dir: Path, port: int | None = None, *, fsync: bool = True) -> None:
        self._run_dir = run_dir.resolve()
        super().__init__("postgres", self._run_dir / "log" / "postgres.log")
        self._allocator = PortAllocator()
        self.port = port or self._allocator.lease()
        # The server refuses to run as root.
        self._account = _SUPERUSER if os.getuid() == 0 else None
        self._fsync = fsync
        self._note = self._run_dir / "postgres.path"
        self._backends: list[int] = []
        self.address = f"postgresql://{USER}@{HOST}:{self.port}"

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a database, for asyncpg."""
        return f"postgresql+asyncpg://{USER}@{HOST}:{self.port}/{name}"

    @property
    def folder(self) -> Path:
        """Where the cluster lies: made, and noted, when it is asked for first."""
        with suppress(OSError):
            noted = Path(self._note.read_text().strip())
            if noted.is_dir():
                return noted
        self._run_dir.mkdir(parents=True, exist_ok=True)
        if self._account is None or _traversable(self._run_dir):
            folder = self._run_dir / "postgres"
            folder.mkdir(mode=0o700, exist_ok=True)
        else:
            _remove_abandoned()
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
            (folder / _OWNER).write_text(str(self._run_dir))
        if self._account is not None:
            account = pwd.getpwnam(self._account)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._note.write_text(f"{folder}\n")
        return folder

    def prepare(self) -> None:
        """Makes the cluster once; after a crash, waits for the old one's last processes."""
        # They hold the shared memory, and a new server refuses to start beside them.
        wait_until(lambda: not any(map(procfs.is_running, self._backends)), 10.0)
        data = self.folder / "data"
        if (data / "PG_VERSION").exists():
            return
        shutil.rmtree(data, ignore_errors=True)  # half made, by a run that was interrupted
        half = self.folder / "half"
        command = [
            *(str(programs() / "initdb"), "-D", str(half), "-U", _SUPERUSER, "-A", "trust"),
            *("--no-sync", "-E", "UTF8", f"--locale={_LOCALE}"),
        ]
        shutil.rmtree(half, ignore_errors=True)
        child = ChildProcess(command, base_environment(), self.log, self.folder, self._account)
        child.start()
        try:
            while child.running and not self.cancelled.wait(0.02):
                pass
        finally:
            child.stop(0)
        if child.returncode != 0:
            raise LauncherError(self._report("initdb failed"))
        half.rename(data)

    def make_process(self) -> ChildProcess:
        """The server itself in the foreground, without a socket in the file system."""
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "on" if self._fsync else "off",
            "max_connections": "200",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        program = str(programs() / "postgres")
        command = [program, "-D", str(self.folder / "data"), "-p", str(self.port), *options]
        return ChildProcess(
            command,
            base_environment(),
            self.log,
            self.folder,
            self._account,
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, does not wait for them
            grace_s=10.0,
        )

    def probe(self) -> bool:
        """Whether it takes connections."""
        # The cheap question first: a refused connection needs no client process.
        try:
            socket.create_connection((HOST, self.port), timeout=1.0).close()
        except OSError:
            return False
        return self._psql("SELECT 1").returncode == 0

    def on_ready(self) -> None:
        """Makes the services' user."""
        self.query(
            f"DO $$ BEGIN CREATE ROLE {USER} LOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )

    def create_database(self, name: str) -> str:
        """Makes a database of the services' user if it is missing, and returns its URL."""
        if not self.query(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608 - our own name
            self.query(f'CREATE DATABASE "{name}" OWNER {USER}')
        return self.url(name)

    def query(self, sql: str, database: str = "postgres") -> str:
        """Runs a statement as the superuser; columns are separated by `|`.

        Raises:
            LauncherError: It failed.
        """
        result = self._psql(sql, database)
        if result.returncode != 0:
            raise LauncherError(f"PostgreSQL: {result.stderr.strip()}")
        return result.stdout.strip()

    def _psql(self, sql: str, database: str = "postgres") -> "subprocess.CompletedProcess[str]":
        program = str(programs() / "psql")
        target = ["-h", HOST, "-p", str(self.port), "-U", _SUPERUSER, "-d", database]
        return subprocess.run(
            [program, "-X", "-A", "-t", "-q", "-w", *target, "-c", sql],
            env=base_environment() | {"PGCONNECT_TIMEOUT": "3"},
            cwd="/",
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal to the server; its sessions' processes end after it."""
        # Each is a session of its own, so the group's end does not tell theirs.
        self._backends = procfs.children(self.pid) if self.pid else []
        super().kill(number)

    def stop(self, grace_s: float | None = None) -> None:
        """Stops the server; committed data stays."""
        self._backends = procfs.children(self.pid) if self.pid else []
        super().stop(grace_s)
        wait_until(lambda: not any(map(procfs.is_running, self._backends)), 10.0)

    def purge(self) -> None:
        """Stops the server and removes the data."""
        self.stop()
        remove_data(self._run_dir)


def remove_data(run_dir: Path) -> None:
    """Removes the cluster that belongs to a run folder, wherever it lies."""
    note = run_dir / "postgres.path"
    with suppress(OSError):
        shutil.rmtree(note.read_text().strip(), ignore_errors=True)
    note.unlink(missing_ok=True)
