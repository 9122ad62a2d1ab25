"""A stack without a terminal: started in a session of its own, stopped by its process id."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from deploy.local import procfs, runlock
from deploy.local.info import FILE
from deploy.local.process import LauncherError, tail, wait_until
from deploy.local.services import PROJECT

START_TIMEOUT_S = 300.0
# Services may drain for 30 s, one group after the other.
_STOP_TIMEOUT_S = 90.0
_READY_VARIABLE = "_LAUNCHER_READY_FD"


def in_background() -> bool:
    """Whether this process is a background supervisor."""
    return _READY_VARIABLE in os.environ


def report_ready() -> None:
    """Tells the command that waits for this supervisor that the stack is ready."""
    descriptor = os.environ.get(_READY_VARIABLE)
    if descriptor is not None:
        # The command may have been interrupted: nobody listens then.
        with suppress(OSError):
            os.write(int(descriptor), b"ready")
        os.close(int(descriptor))


def launch(run_dir: Path, arguments: list[str]) -> int:
    """Starts a supervisor that outlives this process; returns when its stack is ready.

    What it says meanwhile is shown. The exit status is 1 when the start failed.
    """
    log = run_dir / "log" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    ready, report = os.pipe()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=PROJECT,
            env=os.environ | {_READY_VARIABLE: str(report), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(report,),
            start_new_session=True,
        )
    os.close(report)
    try:
        started = _follow(log, ready)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        os.close(ready)
    if started:
        process.returncode = 0  # it goes on alone: no warning that it was not waited for
        return 0
    if started is None:
        process.kill()
    process.wait()
    return 1


def _follow(log: Path, ready: int) -> bool | None:
    """Shows the supervisor's output until it is ready (True) or ended (False); None: neither."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with log.open() as lines:
        while time.monotonic() < deadline:
            readable, _, _ = select.select([ready], [], [], 0.05)
            outcome = os.read(ready, 16) if readable else None
            print(lines.read(), end="", flush=True)
            if outcome is not None:
                return outcome == b"ready"
    print(f"not ready after {START_TIMEOUT_S:.0f} s:\n{tail(log)}", file=sys.stderr)
    return None


def stop(run_dir: Path) -> bool:
    """Stops the stack of a folder, whoever runs it; False when none is up.

    Raises:
        LauncherError: It did not end.
    """
    pid = runlock.owner(run_dir)
    if pid is None:
        # Left by a supervisor that was killed; its children died with it.
        (run_dir / FILE).unlink(missing_ok=True)
        return False
    stat = procfs.read_stat(pid)
    start_time = stat.start_time if stat else None
    children = procfs.descendants(pid)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: not procfs.is_running(pid, start_time), _STOP_TIMEOUT_S, 0.05):
        # Its children have their parent's death as a signal.
        os.kill(pid, signal.SIGKILL)
    if not wait_until(lambda: not any(map(procfs.is_running, [pid, *children])), 10.0, 0.05):
        raise LauncherError(f"process {pid} of the stack does not end")
    (run_dir / FILE).unlink(missing_ok=True)
    return True
