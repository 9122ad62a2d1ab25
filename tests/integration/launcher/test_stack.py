import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import procfs, runlock
from deploy.local.info import StackInfo
from deploy.local.process import LauncherError, wait_until
from deploy.local.services import PROJECT
from deploy.local.stack import Stack, StackOptions

LAUNCHER = [sys.executable, "-m", "deploy.local"]
FindProcesses = Callable[[Path], list[int]]


def launch(run_dir: Path, command: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*LAUNCHER, command, "--run-dir", str(run_dir), *options],
        cwd=PROJECT,
        env=os.environ | {"SPEECHGATE_TRITON_INSTANCES": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def components(run_dir: Path) -> dict[str, dict[str, object]]:
    result = launch(run_dir, "status", "--json")
    found: dict[str, dict[str, object]] = json.loads(result.stdout)["components"]
    return found


@contextmanager
def foreground(run_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [*LAUNCHER, "up", "--run-dir", str(run_dir)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_down_and_status_without_a_stack(run_dir: Path) -> None:
    down, status = launch(run_dir, "down"), launch(run_dir, "status")
    assert (down.returncode, down.stdout) == (0, "No stack is up.\n")
    assert (status.returncode, status.stdout) == (1, "No stack is up.\n")


def test_a_stack_in_the_background(run_dir: Path, find_processes: FindProcesses) -> None:
    up = launch(run_dir, "up", "--detach", "--asr-replicas", "2")
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        info = StackInfo.load(run_dir)
        assert info is not None
        assert info.supervisor_pid == runlock.owner(run_dir)
        assert (run_dir / "stack.json").stat().st_mode & 0o777 == 0o600
        assert info.admin_key.startswith("sg_live_")
        assert set(info.pids) == {"triton", "asr-1", "asr-2", "tts", "nlp", "gateway"}
        assert len(info.services["asr"]) == 2

        again = launch(run_dir, "up", "--detach")
        assert again.returncode == 0
        assert "already up" in again.stdout

        os.kill(info.pids["nlp"], signal.SIGKILL)
        assert wait_until(lambda: components(run_dir)["nlp"]["restarts"] == 1, 30)
        assert wait_until(lambda: components(run_dir)["nlp"]["state"] == "ready", 30)
        after = StackInfo.load(run_dir)
        assert after is not None
        assert after.pids["nlp"] != info.pids["nlp"]
        assert after.services == info.services

        # Nobody can clean up after this; the children die by themselves.
        os.kill(info.supervisor_pid, signal.SIGKILL)
        assert wait_until(lambda: not find_processes(run_dir), 10)

        up = launch(run_dir, "up", "--detach")
        assert up.returncode == 0, up.stdout + up.stderr
        restored = StackInfo.load(run_dir)
        assert restored is not None
        assert restored.admin_key == info.admin_key
        assert restored.gateway_url == info.gateway_url
    finally:
        down = launch(run_dir, "down")
    assert down.stdout == "The stack is stopped.\n"
    assert find_processes(run_dir) == []
    assert not (run_dir / "stack.json").exists()
    assert launch(run_dir, "down").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_start(
    run_dir: Path, find_processes: FindProcesses, number: signal.Signals
) -> None:
    with foreground(run_dir) as process:
        assert process.stdout is not None
        assert wait_until(
            lambda: any(
                "tritonserver" in " ".join(procfs.command_line(pid))
                for pid in procfs.descendants(process.pid)
            ),
            30,
        )

        process.send_signal(number)

        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Stopped." in output
    assert find_processes(run_dir) == []
    assert launch(run_dir, "status").returncode == 1


def test_a_part_that_cannot_start_leaves_nothing_behind(
    echo_repository: Path, run_dir: Path, find_processes: FindProcesses
) -> None:
    (echo_repository / "other" / "1" / "model.py").write_text("raise ValueError('no such engine')")
    stack = Stack(StackOptions(run_dir=run_dir, repository=echo_repository))

    with pytest.raises(LauncherError, match="no such engine"):
        stack.start()

    assert find_processes(run_dir) == []
    assert runlock.owner(run_dir) is None
    stack.stop()


def test_two_stacks_cannot_share_a_folder(run_dir: Path) -> None:
    lock = runlock.RunLock(run_dir)
    lock.acquire()
    try:
        with pytest.raises(LauncherError, match="already up"):
            Stack(StackOptions(run_dir=run_dir)).start()
        assert runlock.owner(run_dir) == os.getpid()
    finally:
        lock.release()
    assert runlock.owner(run_dir) is None
