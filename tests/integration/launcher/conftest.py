from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import procfs
from deploy.local.process import wait_until
from deploy.local.triton import TritonServer

ECHO_CONFIG = """
name: "{name}"
backend: "python"
max_batch_size: 0
input [ {{ name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [ {{ name: "OUT" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: 2 }} ]
"""
ECHO_MODEL = """
import os
import numpy as np
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        pid = str(os.getpid()).encode()
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor("OUT", np.array([pid], dtype=object))]
            )
            for _ in requests
        ]
"""


def _mentions(pid: int, text: bytes) -> bool:
    for name in ("cmdline", "environ"):
        try:
            if text in Path(f"/proc/{pid}/{name}").read_bytes():
                return True
        except OSError:
            continue
    return False


def processes_of(folder: Path) -> list[int]:
    """Every running process whose arguments or environment name the folder."""
    text = str(folder).encode()
    pids = (pid for pid in procfs.all_pids() if procfs.is_running(pid))
    return [pid for pid in pids if _mentions(pid, text)]


@pytest.fixture
def run_dir(tmp_path: Path) -> Iterator[Path]:
    """A run folder; at the end of the test no process may be left that belongs to it."""
    folder = tmp_path / "run"
    yield folder
    wait_until(lambda: not processes_of(folder), 5.0)
    left = {pid: procfs.command_line(pid) for pid in processes_of(folder)}
    assert left == {}


@pytest.fixture
def find_processes() -> Callable[[Path], list[int]]:
    return processes_of


@pytest.fixture
def echo_repository(tmp_path: Path) -> Path:
    """Two tiny models that answer with the process id of the instance."""
    for name in ("echo", "other"):
        version = tmp_path / "models" / name / "1"
        version.mkdir(parents=True)
        (version / "model.py").write_text(ECHO_MODEL)
        (version.parent / "config.pbtxt").write_text(ECHO_CONFIG.format(name=name))
    return tmp_path / "models"


@pytest.fixture
def triton(echo_repository: Path, run_dir: Path) -> Iterator[TritonServer]:
    server = TritonServer(echo_repository, run_dir, instances=2, probe_every_s=1.0)
    server.start()
    yield server
    server.close()
