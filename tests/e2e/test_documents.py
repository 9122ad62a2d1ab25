"""The commands of the documentation run as they are written."""

import os
import re
import shlex
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from deploy.local import demo
from deploy.local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
GUIDES = ("api", "recognition", "speech", "language", "calls", "pipelines")
START = "make up DETACH=1"
STOP = "make down"
LEFTOVERS = (
    *("speech.json", "speech.wav", "speech.mp3", "replay.mp3", "voices.json", "events.txt"),
    *("conversation.json", "pipeline.json", "spanish.json", "spanish.wav", "ulca.json"),
)
VARIABLES = ("MAKE", "ARGS", "STACK", "DETACH", "AUDIO")
"""What begins like these is of the make that runs these tests; a reader's has none of it."""


def blocks(document: str) -> list[str]:
    """The shell blocks of a document, in order."""
    return BLOCK.findall((ROOT / document).read_text())


def run(script: str, *, timeout_s: int) -> str:
    """Run a script in the project's root as a reader would, stopping at the first failure."""
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith(VARIABLES)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    return finished.stdout


def test_the_demo() -> None:
    """`make demo` does the main job, on a recording of which it knows nothing, too."""
    commands = blocks("README.md")[0].split("\n")
    assert commands[0] == "make demo"
    output = run(commands[0], timeout_s=150)
    for expected in ("transcript", "WER", "translation.wav", "asr_results", "request id"):
        assert expected in output


def test_the_guides() -> None:
    """All blocks of the README and of the API guide in one shell, on a stack of `make up`."""
    install, *scripts = blocks("README.md")
    assert install.split() == ["make", "demo", "make", "test"], "run by other tests"
    assert START in scripts[0]
    assert scripts.pop().strip() == STOP
    guides = [block for name in GUIDES for block in blocks(f"docs/{name}.md")]
    output = run("\n".join([f"trap '{STOP}' EXIT", *scripts, *guides]), timeout_s=240)
    assert output.count('"source"') >= 6
    for leftover in LEFTOVERS:
        (ROOT / leftover).unlink()


@pytest.mark.parametrize("stack", ["embedded"], indirect=True)
def test_another_recording(
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The demo is not canned: it transcribes whatever it is given.

    What `make demo AUDIO=…` would run is run here on a stack that is there already.
    """
    recording = "/usr/share/pocketsphinx/test/data/cards/001.wav"
    last = run(f"make --dry-run demo AUDIO={recording}", timeout_s=30).splitlines()[-1]
    command = shlex.split(last)
    assert command[:3] == [".venv/bin/python", "-m", demo.__name__]
    monkeypatch.setattr(demo, "running_stack", lambda _: nullcontext(stack.info))
    monkeypatch.setattr("sys.argv", [*command[2:], "--run-dir", str(tmp_path)])
    demo.main()
    output = capsys.readouterr().out
    assert recording in output
    assert "no reference" in output
