"""Real human speech for tests: the LibriVox excerpts of Debian's pocketsphinx-testdata."""

import json
import re
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path("/usr/share/pocketsphinx/test/data/librivox")
SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Recording:
    """A recording and what is said in it."""

    path: Path
    reference: str

    @property
    def name(self) -> str:
        return self.path.stem[-4:]

    def samples(self) -> NDArray[np.int16]:
        """[T] int16, 16 kHz."""
        with wave.open(str(self.path)) as file:
            assert file.getframerate() == SAMPLE_RATE
            return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


def recordings() -> list[Recording]:
    """All five, in order of their names."""
    lines = (FOLDER / "transcription").read_text().splitlines()
    found = []
    for line in lines:
        match = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line)
        assert match, line
        found.append(Recording(FOLDER / f"{match[2]}.wav", match[1]))
    return sorted(found, key=lambda recording: recording.path)


def write_wav(path: Path, samples: NDArray[np.int16], rate: int = SAMPLE_RATE) -> Path:
    """Write mono 16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


class EngineAlone:
    """The recognizer in a process of its own, without Triton, service or gateway."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            [root / ".venv-triton/bin/python", Path(__file__).with_name("engine_alone.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def _read(self) -> dict[str, object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the engine's process ended"
        answer: dict[str, object] = json.loads(line)
        return answer

    def transcribe(
        self, wav: Path, segments: list[tuple[float, float]] | None = None
    ) -> tuple[list[str], float]:
        """Texts of the segments (the whole file when None) and seconds of recognition."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"wav": str(wav), "segments": segments}) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        return answer["texts"], answer["seconds"]  # type: ignore[return-value]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
