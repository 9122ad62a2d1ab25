"""The machine that a benchmark runs on: which core does what, what a process used, what is
installed.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local import procfs

ROOT = Path(__file__).parents[2]
BENCH_VENV = ROOT / ".venv-bench"
LITELLM = "litellm[proxy]==1.106.2"
TICKS = os.sysconf("SC_CLK_TCK")
# The effect that is looked for, and the package that brings it.
PACKAGES = {
    "wrk": "wrk",
    "luajit": "luajit2",  # The other one, `luajit`, takes the place of what nginx needs.
    "nginx": "nginx-light",
    "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
    "/usr/share/lua/5.1/nginx/redis.lua": "lua-nginx-redis",
    "haproxy": "haproxy",
    "redis-server": "redis-server",
    "taskset": "util-linux",
}


class Missing(Exception):
    """Something cannot be measured here; the text says how to get it."""


@dataclass(frozen=True)
class Cores:
    """Who runs where.

    Attributes:
        contender: Cores of what is measured.
        rest: Cores of the load generator, the upstream and Redis.
    """

    contender: frozenset[int]
    rest: frozenset[int]

    @staticmethod
    def of_this_machine() -> "Cores":
        """The last core for the contender, the others for the rest."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) == 1:
            return Cores(frozenset(cores), frozenset(cores))
        return Cores(frozenset(cores[-1:]), frozenset(cores[:-1]))

    def describe(self) -> str:
        """One line for the report."""
        model = next(
            (
                line.partition(":")[2].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.machine(),
        )
        if self.contender == self.rest:
            return f"{model}, 1 core: contender, load, upstream and Redis share it"
        return (
            f"{model}, {len(self.contender | self.rest)} cores: the contender on core "
            f"{_listed(self.contender)}; load, upstream and Redis on core {_listed(self.rest)}"
        )


def _listed(cores: frozenset[int]) -> str:
    return ",".join(map(str, sorted(cores)))


@contextmanager
def on_cores(cores: frozenset[int]) -> Iterator[None]:
    """Processes started inside run there: a child inherits its parent's cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for child in procfs.children(pid):
        found += tree(child)
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and all below it, so far."""
    stats = [procfs.read_stat(each) for each in tree(pid)]
    return sum(stat.cpu_ticks for stat in stats if stat) / TICKS


def all_seconds(pid: int) -> float:
    """Like `cpu_seconds`, with the children that have ended."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / TICKS


def _busy_seconds() -> tuple[float, float]:
    """Processor time that the whole machine used, and could have used."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS, sum(fields) / TICKS


@contextmanager
def others() -> Iterator[Callable[[], float]]:
    """Yields a function: the share of the machine that programs other than ours took inside."""
    own, (busy, possible) = all_seconds(os.getpid()), _busy_seconds()
    found = 0.0
    yield lambda: found
    own, (busy_after, possible_after) = all_seconds(os.getpid()) - own, _busy_seconds()
    found = max(0.0, busy_after - busy - own) / (possible_after - possible)


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident and proportional memory of a process and all below it, in MB."""
    rss = pss = 0
    for each in tree(pid):
        text = ""
        with suppress(OSError):  # It has ended.
            text = Path(f"/proc/{each}/smaps_rollup").read_text()
        for line in text.splitlines():
            if line.startswith("Rss:"):
                rss += int(line.split()[1])
            elif line.startswith("Pss:"):
                pss += int(line.split()[1])
    return rss * 1024 / 1e6, pss * 1024 / 1e6


def ensure_installed(*effects: str) -> None:
    """Installs what is absent, when allowed to.

    Raises:
        Missing: Something is absent, and this account may not install it.
    """
    absent = [
        PACKAGES[effect]
        for effect in effects
        if not (Path(effect).exists() if effect.startswith("/") else shutil.which(effect))
    ]
    if not absent:
        return
    command = ["apt-get", "-y", "-q", "--no-install-recommends", "install", *absent]
    how = f"as root: apt-get update && apt-get install {' '.join(absent)}"
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(how)
    # RUNLEVEL keeps the packages' own daemons from starting.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    print(f"installing {' '.join(absent)} …", flush=True)
    subprocess.run(["apt-get", "-q", "update"], env=env, check=False, capture_output=True)
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"{how} failed: {done.stderr.strip()[-300:]}")


def ensure_litellm() -> Path:
    """Its proxy's program, in an environment of its own.

    Raises:
        Missing: It cannot be installed.
    """
    program = BENCH_VENV / "bin" / "litellm"
    pip = [str(BENCH_VENV / "bin" / "python"), "-m", "pip"]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
    commands = []
    if not (BENCH_VENV / "bin" / "pip").exists():
        commands.append([sys.executable, "-m", "venv", "--clear", str(BENCH_VENV)])
    version = LITELLM.partition("==")[2]
    if not list(BENCH_VENV.glob(f"lib/python*/site-packages/litellm-{version}.dist-info")):
        commands.append([*pip, "install", *quiet, LITELLM])
    for command in commands:
        print(f"installing {LITELLM} into {BENCH_VENV.name} …", flush=True)
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise Missing(f"pip install '{LITELLM}' failed: {done.stderr.strip()[-300:]}")
    return program
