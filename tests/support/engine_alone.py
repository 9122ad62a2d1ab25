"""The ASR engine with nothing around it, for comparison; runs in the Triton interpreter.

Reads one JSON object a line from standard input, `{"wav": path, "segments": [[start, end], …]}`
(seconds; the whole file when absent), and answers each with `{"texts": […], "seconds": t}`, the
time of recognition alone. The file is 16 kHz mono 16-bit.
"""

import importlib
import json
import sys
import time
import wave
from pathlib import Path

import numpy as np

ENGINE = Path(__file__).resolve().parents[2] / "triton_models" / "asr" / "1"


def main() -> None:
    """Serve until standard input ends."""
    sys.path.insert(0, str(ENGINE))
    engine = importlib.import_module("asr_engine")
    recognizer = engine.Recognizer()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        with wave.open(task["wav"]) as file:
            rate = file.getframerate()
            pcm = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        spans = task.get("segments") or [[0.0, len(pcm) / rate]]
        started = time.perf_counter()
        texts = [
            recognizer.transcribe(pcm[round(start * rate) : round(end * rate)])["text"]
            for start, end in spans
        ]
        seconds = time.perf_counter() - started
        print(json.dumps({"texts": texts, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
