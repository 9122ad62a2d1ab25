"""The scripts of deploy/backup, run by the server's account on a real server's backups."""

import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.postgres import PostgresCluster, programs
from deploy.local.process import base_environment, wait_until

SCRIPTS = Path(__file__).resolve().parents[3] / "deploy/backup"
ROLE = "speechgate_backup"
_TAKEN_S = 60.0
_ACCOUNT = "postgres" if os.getuid() == 0 else None

Finished = subprocess.CompletedProcess[str]


def own(folder: Path) -> None:
    """Gives a folder to the server's account."""
    if _ACCOUNT is not None:
        account = pwd.getpwnam(_ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)


class Backups:
    """A folder of backups, and the scripts over it.

    Args:
        folder: Made if it is missing.
        server: Whose backups they are; None when only read.
    """

    def __init__(self, folder: Path, server: PostgresCluster | None = None) -> None:
        self.folder = folder
        self.folder.mkdir(mode=0o700, exist_ok=True)
        own(folder)
        # The folder of the repository may be closed to the server's account.
        self._scripts = folder / ".scripts"
        shutil.copytree(SCRIPTS, self._scripts, dirs_exist_ok=True)
        own(self._scripts)
        self._environment = base_environment() | {
            "PATH": f"{programs()}:{os.defpath}",
            "BACKUP_FOLDER": str(folder),
            "BACKUP_LOOK_S": "0.5",
            "TZ": "UTC",
        }
        if server is not None:
            self._environment |= {"PGHOST": HOST, "PGPORT": str(server.port), "PGUSER": ROLE}

    def __call__(self, script: str, *arguments: str, **environment: str) -> Finished:
        """Runs a script to its end."""
        return subprocess.run(
            ["bash", str(self._scripts / script), *arguments],
            user=_ACCOUNT,
            group=_ACCOUNT,
            extra_groups=[] if _ACCOUNT else None,
            cwd=self.folder,
            env=self._environment | environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def done(self, script: str, *arguments: str, **environment: str) -> str:
        """Runs a script that has to succeed; what it said."""
        finished = self(script, *arguments, **environment)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout + finished.stderr

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """`backup.sh run`, until the end of the block, which it has to end in order."""
        with (self.folder / ".log").open("a") as log:
            process = subprocess.Popen(
                ["bash", str(self._scripts / "backup.sh"), "run"],
                user=_ACCOUNT,
                group=_ACCOUNT,
                extra_groups=[] if _ACCOUNT else None,
                cwd=self.folder,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, self.log()
        finally:
            process.kill()
            process.wait()

    def log(self) -> str:
        """What `run` said."""
        return (self.folder / ".log").read_text()

    def wait_until_good(self) -> None:
        """Returns when `check` finds nothing wrong."""
        good = wait_until(lambda: self("backup.sh", "check").returncode == 0, _TAKEN_S)
        assert good, self("backup.sh", "check").stderr + self.log()

    def sets(self) -> list[Path]:
        """The sets, oldest first."""
        return sorted(path for path in self.folder.iterdir() if path.name[0].isdigit())

    def bases(self) -> list[Path]:
        """The base backups, oldest first."""
        return sorted(self.folder.glob("*/base/*Z"), key=lambda path: path.name)

    def has(self, segment: str) -> bool:
        """Whether a segment is in the newest set's log, compressed or not."""
        return any(path.name.startswith(segment) for path in self.segments())

    @staticmethod
    def first_segment(base: Path) -> str:
        """The first segment of the log that a base backup needs."""
        found = re.search(
            r"(?m)^START WAL LOCATION: \S+ \(file (\w+)\)$", (base / "backup_label").read_text()
        )
        assert found is not None
        return found[1]

    def segments(self) -> list[Path]:
        """The files of the newest set's log, oldest first."""
        return sorted((self.sets()[-1] / "wal").iterdir())


def received(server: PostgresCluster) -> bool:
    """Whether all that the server committed is in the backup's log."""
    state = server.query(
        "SELECT restart_lsn >= pg_current_wal_flush_lsn() FROM pg_replication_slots"
    )
    return state == "t"


def wait_until_received(server: PostgresCluster) -> None:
    """Returns when it is."""
    assert wait_until(lambda: received(server), 30.0)
