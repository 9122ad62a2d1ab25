"""What /proc tells about processes: identity, children, groups, use of the processor.

A process id alone is no identity: the kernel gives it to another process later. Together
with the start time (proc(5), field 22 of stat) it is.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"


@dataclass(frozen=True)
class ProcessStat:
    """One process as /proc/<pid>/stat shows it; times are in clock ticks."""

    pid: int
    state: str
    parent: int
    group: int
    cpu_ticks: int
    start_time: int

    @property
    def alive(self) -> bool:
        """Whether it still runs: a zombie only waits to be collected."""
        return self.state not in "ZX"


def read_stat(pid: int) -> ProcessStat | None:
    """Reads one process; None when there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    # The name, in brackets, may hold spaces and brackets itself.
    fields = text[text.rindex(")") + 2 :].split()
    return ProcessStat(
        pid=pid,
        state=fields[0],
        parent=int(fields[1]),
        group=int(fields[2]),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        start_time=int(fields[19]),
    )


def is_running(pid: int, start_time: int | None = None) -> bool:
    """Whether the process runs, and is the one that started at `start_time`."""
    stat = read_stat(pid)
    if stat is None or not stat.alive:
        return False
    return start_time is None or stat.start_time == start_time


def children(pid: int) -> list[int]:
    """The direct children of a process, those of all its threads."""
    found: list[int] = []
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            # A thread may end between the listing and the reading.
            with suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; empty when it is gone or a zombie."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]


def all_pids() -> list[int]:
    """Every process of the machine."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def group_members(group: int) -> list[int]:
    """The processes of a process group that still run."""
    stats = (read_stat(pid) for pid in all_pids())
    return [stat.pid for stat in stats if stat and stat.alive and stat.group == group]


def descendants(pid: int) -> list[int]:
    """All running processes below a process, whatever their group or session."""
    found: list[int] = []
    queue = [pid]
    while queue:
        for child in children(queue.pop()):
            if is_running(child):
                found.append(child)
                queue.append(child)
    return found


def listens(pid: int, port: int) -> bool:
    """Whether a process itself listens on a TCP port that it may share with others."""
    owned = set()
    with suppress(OSError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                owned.add(str(entry.readlink()))
    lines: list[str] = []
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            lines += (_PROC / str(pid) / "net" / name).read_text().splitlines()[1:]
    # Fields: 1 the local address in hexadecimal, 3 the state, 9 the inode (proc(5)).
    return any(
        fields[3] == _LISTENING
        and int(fields[1].rpartition(":")[2], 16) == port
        and f"socket:[{fields[9]}]" in owned
        for fields in map(str.split, lines)
    )
