"""deploy/local/setup.sh, as far as it installs nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.services import PROJECT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but the script and its parts."""
    folder = tmp_path / "checkout"
    (folder / "deploy/local").mkdir(parents=True)
    for script in (PROJECT / "deploy/local").glob("setup*.sh"):
        shutil.copy(script, folder / "deploy/local")
    return folder


def set_up(checkout: Path, *parts: str) -> "subprocess.CompletedProcess[str]":
    """Without an interpreter, so that nothing is installed if it is not refused."""
    return subprocess.run(
        ["bash", "deploy/local/setup.sh", *parts],
        cwd=checkout,
        env={**os.environ, "PYTHON": "/nowhere/python3.11x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("name", [".venv", ".venv-triton", ".venv-scan", ".unleash"])
@pytest.mark.parametrize("there", [True, False])
def test_an_environment_that_is_a_link_is_left_alone(
    name: str,
    there: bool,  # noqa: FBT001 - pytest gives it by name
    checkout: Path,
    tmp_path: Path,
) -> None:
    """`venv --clear` empties what a link leads to: another checkout's environment."""
    other = tmp_path / "other"
    if there:
        other.mkdir()
        (other / "kept").touch()
    (checkout / name).symlink_to(other)
    ended = set_up(checkout)
    assert ended.returncode == 1
    assert f"{checkout / name} is a symbolic link" in ended.stderr
    assert ended.stdout == ""
    assert not (checkout / ".run").exists()
    assert (checkout / name).is_symlink()
    assert other.exists() == there
    if there:
        assert [path.name for path in other.iterdir()] == ["kept"]


def test_unknown_parts_are_refused(checkout: Path) -> None:
    ended = set_up(checkout, "unleashed")
    assert ended.returncode == 1
    assert "usage: setup.sh" in ended.stderr
    assert not (checkout / ".run").exists()
