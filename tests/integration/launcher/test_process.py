import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import procfs
from deploy.local.process import ChildProcess, base_environment, wait_until

# A child that ignores SIGTERM, with a grandchild in its group.
STUBBORN = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "300"])
print("up", flush=True)
time.sleep(300)
"""
# Starts a child from a thread that ends, tells its id, then waits to be killed.
PARENT = """
import sys, threading, time
from pathlib import Path
from deploy.local.process import ChildProcess, base_environment
child = ChildProcess(["sleep", "300"], base_environment(), Path(sys.argv[1]))
thread = threading.Thread(target=child.start)
thread.start()
thread.join()
print(child.pid, flush=True)
time.sleep(300)
"""


def make(run_dir: Path, code: str) -> ChildProcess:
    command = [sys.executable, "-c", code]
    return ChildProcess(command, {**base_environment(), "RUN": str(run_dir)}, run_dir / "log")


def test_stop_kills_a_child_that_ignores_the_signal_and_its_group(
    run_dir: Path, find_processes: Callable[[Path], list[int]]
) -> None:
    child = make(run_dir, STUBBORN)
    child.start()
    assert wait_until(lambda: "up" in child.log.read_text(), 10)
    assert len(find_processes(run_dir)) == 2

    child.stop(grace_s=0.3)

    assert child.returncode == -signal.SIGKILL
    assert find_processes(run_dir) == []


def test_stop_lets_a_child_end_by_itself(run_dir: Path) -> None:
    code = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(7))\nprint('up', flush=True)"
    child = make(run_dir, f"{code}\nsignal.pause()")
    child.start()
    assert wait_until(lambda: "up" in child.log.read_text(), 10)

    child.stop()

    assert child.returncode == 7


def test_the_end_of_a_leader_ends_its_group(
    run_dir: Path, find_processes: Callable[[Path], list[int]]
) -> None:
    child = make(run_dir, "import subprocess; subprocess.Popen(['sleep', '300'])")
    child.start()

    child.wait_exit()

    assert find_processes(run_dir) == []


def test_a_stopped_child_is_stopped_for_good(run_dir: Path) -> None:
    child = make(run_dir, "import time; time.sleep(300)")
    child.start()
    child.signal(signal.SIGSTOP)

    child.stop(grace_s=5)

    assert child.returncode == -signal.SIGTERM


def test_waiting_in_several_threads(run_dir: Path) -> None:
    child = make(run_dir, "import time; time.sleep(300)")
    child.start()
    threads = [threading.Thread(target=child.wait_exit) for _ in range(4)]
    for thread in threads:
        thread.start()

    child.signal(signal.SIGKILL)

    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert child.returncode == -signal.SIGKILL


def test_a_child_dies_with_its_killed_parent_and_not_with_the_thread_that_started_it(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        stat = procfs.read_stat(pid)
        assert stat is not None
        # The starting thread is gone: longer than its death would take to reach the child.
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            assert procfs.is_running(pid, stat.start_time)
            time.sleep(0.02)

        parent.kill()

    assert wait_until(lambda: not procfs.is_running(pid, stat.start_time), 5)


# A launcher whose child has a child of its own.
FAMILY = """
import sys, time
from pathlib import Path
from deploy.local.process import ChildProcess, base_environment
code = "import subprocess, time; print(subprocess.Popen(['sleep', '300']).pid, flush=True)"
child = ChildProcess(
    [sys.executable, "-c", code + "; time.sleep(300)"],
    {**base_environment(), "RUN": sys.argv[1]}, Path(sys.argv[1]) / "log",
)
child.start()
time.sleep(300)
"""


def test_a_grandchild_dies_with_the_killed_launcher(
    run_dir: Path, find_processes: Callable[[Path], list[int]]
) -> None:
    log = run_dir / "log"
    with subprocess.Popen([sys.executable, "-c", FAMILY, str(run_dir)]) as launcher:
        assert wait_until(lambda: log.exists() and log.read_text().strip() != "", 10)
        grandchild = int(log.read_text())
        assert procfs.is_running(grandchild)

        launcher.kill()

    assert wait_until(lambda: not find_processes(run_dir), 5)


def test_a_killed_guardian_is_replaced(run_dir: Path) -> None:
    before = {pid for pid in procfs.children(os.getpid()) if is_guardian(pid)}
    child = make(run_dir, "import time; time.sleep(300)")
    child.start()
    guardians = [pid for pid in procfs.children(os.getpid()) if is_guardian(pid)]
    assert before <= set(guardians)
    assert len(guardians) == 1

    os.kill(guardians[0], signal.SIGKILL)
    assert wait_until(lambda: not procfs.is_running(guardians[0]), 5)
    child.stop(grace_s=0)

    running = filter(procfs.is_running, procfs.children(os.getpid()))
    assert len([pid for pid in running if is_guardian(pid)]) == 1


def is_guardian(pid: int) -> bool:
    return any(part.endswith("guardian.py") for part in procfs.command_line(pid))


def test_the_environment_is_minimal(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECHGATE_LAUNCHER_TEST", "1")
    monkeypatch.setenv("LAUNCHER_TEST_TOKEN", "secret")
    child = make(run_dir, "import os; print(sorted(os.environ))")

    child.start()
    child.wait_exit()

    output = child.log.read_text()
    assert "SPEECHGATE_LAUNCHER_TEST" in output
    assert "LAUNCHER_TEST_TOKEN" not in output


def test_which_process_listens_on_a_port_that_may_be_shared() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        assert not procfs.listens(os.getpid(), port), "it is bound only"
        one.listen()
        assert procfs.listens(os.getpid(), port)
        assert not procfs.listens(os.getppid(), port)
    assert not procfs.listens(os.getpid(), port)
