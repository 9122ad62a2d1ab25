"""The script that makes Secrets out of a folder of files."""

import os
import stat
import subprocess
from pathlib import Path

from tests.support.manifests import KUBERNETES

SCRIPT = KUBERNETES / "create-secrets.sh"
# Notes its arguments, and answers `create` with what it was given to read.
KUBECTL = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$LOG"
[ "$1" = apply ] && cat > /dev/null || echo object
"""


def run(tmp_path: Path, *arguments: str) -> tuple[int, list[str]]:
    tool, log = tmp_path / "bin/kubectl", tmp_path / "log"
    tool.parent.mkdir()
    tool.write_text(KUBECTL)
    tool.chmod(0o700)
    log.touch()
    environment = {"PATH": f"{tool.parent}:{os.defpath}", "LOG": str(log)}
    finished = subprocess.run(
        ["bash", str(SCRIPT), *arguments], env=environment, check=False, capture_output=True
    )
    return finished.returncode, log.read_text().splitlines()


def test_a_secret_for_each_reader_that_has_a_folder(tmp_path: Path) -> None:
    for reader in ("gateway", "asr", "unleash"):
        (tmp_path / "secrets" / reader).mkdir(parents=True)
    status, calls = run(tmp_path, str(tmp_path / "secrets"), "elsewhere")
    assert status == 0
    created = sorted(call for call in calls if call.startswith("create"))
    assert [call.split()[3] for call in created] == ["asr", "gateway"]
    assert all("--namespace elsewhere" in call and "--dry-run=client" in call for call in created)
    assert len([call for call in calls if call.startswith("apply --server-side")]) == 2


def test_it_asks_for_a_folder(tmp_path: Path) -> None:
    status, calls = run(tmp_path)
    assert status != 0
    assert calls == []


def test_it_can_be_run() -> None:
    assert SCRIPT.stat().st_mode & stat.S_IXUSR
