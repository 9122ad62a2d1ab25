import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.component import Component
from deploy.local.ports import PortAllocator
from deploy.local.process import (
    ChildProcess,
    LauncherError,
    StoppedError,
    base_environment,
    wait_until,
)
from deploy.local.services import ServiceProcess
from deploy.local.supervisor import Supervisor

# Answers every path with 200; refuses to start while the file `broken` exists.
SERVER = """
import http.server, os, sys
if os.path.exists(sys.argv[2]):
    sys.exit("broken on purpose")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class TinyServer(ServiceProcess):
    """The readiness of a service over a server of a few lines."""

    def __init__(self, run_dir: Path, port: int) -> None:
        env = {**base_environment(), "RUN": str(run_dir)}
        super().__init__("tiny", "asr", env, port, run_dir / "tiny.log")
        self.broken = run_dir / "broken"

    def make_process(self) -> ChildProcess:
        command = [sys.executable, "-c", SERVER, str(self.port), str(self.broken)]
        return ChildProcess(command, self.env, self.log, grace_s=2.0)


@pytest.fixture
def component(run_dir: Path) -> Iterator[Component]:
    allocator = PortAllocator()
    yield TinyServer(run_dir, allocator.lease())
    allocator.release()


@pytest.fixture
def supervisor(component: Component) -> Iterator[Supervisor]:
    supervisor = Supervisor(component, lambda: None)
    supervisor.start()
    yield supervisor
    supervisor.stop()


def test_a_killed_component_comes_back_on_its_port(supervisor: Supervisor) -> None:
    first = supervisor.component.pid

    supervisor.component.kill(signal.SIGKILL)
    supervisor.wait_ready(15)

    assert supervisor.component.pid != first
    assert supervisor.component.probe()
    assert supervisor.restarts == 1


def test_a_paused_component_stays_down_until_restarted(supervisor: Supervisor) -> None:
    supervisor.pause()
    supervisor.component.kill(signal.SIGKILL)
    assert wait_until(lambda: supervisor.state == "paused", 5)
    with pytest.raises(LauncherError, match="paused"):
        supervisor.wait_ready(1.0)
    assert supervisor.restarts == 0

    supervisor.restart()

    assert supervisor.component.probe()
    assert supervisor.state == "ready"


def test_restart_of_a_running_component(supervisor: Supervisor) -> None:
    first = supervisor.component.pid

    supervisor.restart()

    assert supervisor.component.pid != first
    assert supervisor.component.probe()


def test_it_keeps_trying_while_the_component_crashes(supervisor: Supervisor, run_dir: Path) -> None:
    broken = run_dir / "broken"
    broken.touch()
    supervisor.component.kill(signal.SIGKILL)
    assert wait_until(lambda: supervisor.restarts >= 2, 15)

    broken.unlink()

    supervisor.wait_ready(15)
    assert supervisor.component.probe()


def test_stop_while_waiting_to_restart(supervisor: Supervisor, run_dir: Path) -> None:
    (run_dir / "broken").touch()
    supervisor.component.kill(signal.SIGKILL)
    assert wait_until(lambda: supervisor.restarts >= 1, 15)

    supervisor.stop()

    assert supervisor.state == "stopped"
    assert not supervisor.component.running


def test_a_failed_start_shows_the_end_of_the_log(component: Component, run_dir: Path) -> None:
    run_dir.mkdir()
    (run_dir / "broken").touch()

    with pytest.raises(LauncherError, match="exit status 1") as failure:
        component.start()

    assert "broken on purpose" in str(failure.value)
    assert not component.running


def test_a_start_can_be_given_up(component: Component) -> None:
    component.probe = lambda: False  # type: ignore[method-assign]
    errors: list[BaseException] = []

    def start() -> None:
        try:
            component.start()
        except StoppedError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    assert wait_until(lambda: component.running, 10)

    component.cancelled.set()

    thread.join(10)
    assert len(errors) == 1
    assert not component.running
    with pytest.raises(StoppedError):
        component.spawn()
