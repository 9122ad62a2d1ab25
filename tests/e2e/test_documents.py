"""The commands of the documentation run as they are written."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
START = "make up DETACH=1"
STOP = "make down"


def blocks(document: str) -> list[str]:
    """The shell blocks of a document, in order."""
    return BLOCK.findall((ROOT / document).read_text())


def run(script: str, *, timeout_s: int) -> str:
    """Run a script in the project's root as a reader would, stopping at the first failure."""
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        # A reader's make has nothing of the one that runs these tests.
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
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


@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_the_guide(document: str) -> None:
    """All blocks of a document in one shell, with a stack as `make up` starts it."""
    scripts = blocks(document)
    if document == "README.md":
        assert scripts[0].split() == ["make", "demo", "make", "test"], "run by other tests"
        scripts = scripts[1:]
    else:
        scripts = [START, *scripts, STOP]
    joined = "\n".join(scripts)
    assert START in joined
    assert STOP in joined
    output = run(f"trap '{STOP}' EXIT\n{joined}", timeout_s=150)
    assert '"source"' in output
    for leftover in ("speech.json", "speech.wav", "voices.json"):
        (ROOT / leftover).unlink(missing_ok=True)


def test_another_recording() -> None:
    """The demo is not canned: it transcribes whatever it is given."""
    recording = "/usr/share/pocketsphinx/test/data/cards/001.wav"
    output = run(f"make demo AUDIO={recording}", timeout_s=150)
    assert recording in output
    assert "no reference" in output
