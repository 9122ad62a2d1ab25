import os
import signal
from pathlib import Path

import pytest

from deploy.local import procfs
from deploy.local.process import LauncherError, wait_until
from deploy.local.triton import TritonServer
from deploy.local.triton_client import TritonUnavailableError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
REQUEST = {"inputs": [{"name": "TEXT", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}


def answered(server: TritonServer, model: str = "echo") -> bool:
    try:
        return server.client.request("POST", f"/v2/models/{model}/infer", REQUEST)[0] == 200
    except TritonUnavailableError:
        return False


def whole(server: TritonServer, model: str = "echo") -> bool:
    """Both instances answer: requests go to them in turn."""
    return len(server.stub_pids(model)) == 2 and all(answered(server, model) for _ in range(6))


def test_models_are_ready_when_start_returns(triton: TritonServer) -> None:
    assert triton.models == ["echo", "other"]
    assert whole(triton, "echo")
    assert whole(triton, "other")


def test_only_the_named_models_are_loaded(echo_repository: Path, run_dir: Path) -> None:
    server = TritonServer(echo_repository, run_dir, models=["other"], instances=1)
    server.start()
    try:
        assert answered(server, "other")
        assert not answered(server, "echo")
        assert len(server.stub_pids("other")) == 1
    finally:
        server.close()


def test_the_repository_is_not_written_to(triton: TritonServer, echo_repository: Path) -> None:
    assert "count: 2" in (echo_repository / "echo" / "config.pbtxt").read_text()
    assert not list(echo_repository.glob("*/config.pbtxt.*"))
    assert triton.running


def test_a_model_whose_process_was_killed_is_whole_again(triton: TritonServer) -> None:
    server = triton.pid
    others = triton.stub_pids("other")

    os.kill(triton.stub_pids("echo")[0], signal.SIGKILL)

    assert wait_until(lambda: triton.reloads == 1 and whole(triton), 30)
    assert triton.pid == server
    assert triton.stub_pids("other") == others
    # The replaced instance's healthy process ends too; that is no new death. Triton does not
    # always collect the two: its unloading may wait for ever for the one that was killed.
    in_use = set(triton.stub_pids("echo") + others)
    ended = wait_until(lambda: set(procfs.descendants(server or 0)) <= in_use, 30)
    assert ended, list(map(procfs.command_line, procfs.descendants(server or 0)))
    assert triton.reloads == 1


def test_all_processes_of_a_model_killed_at_once(triton: TritonServer) -> None:
    for pid in triton.stub_pids("echo"):
        os.kill(pid, signal.SIGKILL)

    assert wait_until(lambda: triton.reloads >= 1 and whole(triton), 10)


def test_a_model_unloaded_on_purpose_stays_unloaded(triton: TritonServer) -> None:
    assert triton.client.unload("echo")
    assert wait_until(lambda: not triton.stub_pids("echo"), 10)

    # The watchdog has looked at all models again after it: it brings back another one.
    os.kill(triton.stub_pids("other")[0], signal.SIGKILL)
    assert wait_until(lambda: triton.reloads == 1 and whole(triton, "other"), 10)

    assert not answered(triton, "echo")


def test_a_hanging_process_is_replaced(
    triton: TritonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.triton_watchdog._PROBE_TIMEOUT_S", 1.5)
    hanging = triton.stub_pids("echo")
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)

    assert wait_until(lambda: triton.reloads >= 1 and whole(triton), 30)
    assert not set(hanging) & set(triton.stub_pids("echo"))


def test_a_killed_server_starts_again_on_its_ports(triton: TritonServer) -> None:
    stubs = triton.stub_pids("echo")
    url = triton.url

    triton.kill(signal.SIGKILL)
    assert not triton.probe()
    triton.restart()

    assert triton.url == url
    assert whole(triton)
    assert not any(map(procfs.is_running, stubs))


def test_stop_frees_processes_and_shared_memory(triton: TritonServer, run_dir: Path) -> None:
    stubs = triton.stub_pids("echo") + triton.stub_pids("other")
    assert list(SHARED_MEMORY.glob(f"{triton._memory_prefix}*"))

    triton.stop()

    assert triton.reloads == 0
    assert not any(map(procfs.is_running, stubs))
    assert not (run_dir / "triton" / "watchdog.log").exists()
    assert not list(SHARED_MEMORY.glob(f"{triton._memory_prefix}*"))


def test_a_model_that_cannot_load_fails_the_start(echo_repository: Path, run_dir: Path) -> None:
    (echo_repository / "other" / "1" / "model.py").write_text("raise ValueError('no such engine')")
    server = TritonServer(echo_repository, run_dir)
    with pytest.raises(LauncherError, match="no such engine"):
        server.start()
    assert not server.running


def test_an_unknown_model_fails_the_start(echo_repository: Path, run_dir: Path) -> None:
    server = TritonServer(echo_repository, run_dir, models=["absent"])
    with pytest.raises(LauncherError, match="no model absent"):
        server.start()
