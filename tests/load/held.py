"""What a process and those below it hold: to see that it is no more after than before."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.load.machine import tree


@dataclass(frozen=True)
class Held:
    """At one moment.

    Attributes:
        pid: The process.
        processes: With those below it.
        files: Open files of the process itself.
        resident_mb: Of all of them.
        scratch_files: Open files without a name.
    """

    pid: int
    processes: int
    files: int
    resident_mb: float
    scratch_files: int

    @staticmethod
    def by(pid: int) -> "Held":
        """What a process holds now."""
        processes = tree(pid)
        targets = [_target(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        return Held(
            pid,
            len(processes),
            len(targets),
            sum(map(_resident_mb, processes)),
            sum("(deleted)" in target for target in targets),
        )

    def checks(self, before: "Held", *, files: int, growth_mb: float) -> dict[str, bool]:
        """What is to hold, compared with an earlier moment, and whether it does.

        Args:
            before: The earlier moment.
            files: So many more open files are no leak.
            growth_mb: Neither is so much more memory.
        """
        growth = self.resident_mb - before.resident_mb
        return {
            "the same process": self.pid == before.pid,
            "no process more": self.processes <= before.processes,
            "no open file more": self.files <= before.files + files,
            "no temporary file": self.scratch_files == 0,
            f"memory grew {growth:.1f} MB (goal ≤ {growth_mb:.0f})": growth <= growth_mb,
        }


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
