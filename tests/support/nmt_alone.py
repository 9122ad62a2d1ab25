"""The translation engine with nothing around it, for comparison; runs in the Triton interpreter.

Reads one JSON object a line from standard input, `{"pair": "en-es", "texts": […], "batch": n}`, and
answers each with `{"texts": […], "seconds": t}`. The engine gets `n` texts at a time, or all of
them at once where it is absent.
"""

import json
import sys
import time
from pathlib import Path

MODEL = Path(__file__).resolve().parents[2] / "triton_models" / "nmt"


def main() -> None:
    """Serve until standard input ends."""
    sys.path.insert(0, str(MODEL / "1"))
    from nmt_engine import Translator  # noqa: PLC0415 - a model's folder is no package

    translator = Translator(["en-es"], Path("/usr/share/apertium/modes"), 30.0)
    sys.stdout.write(json.dumps({"ready": True}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        task = json.loads(line)
        raw = [text.encode() for text in task["texts"]]
        started = time.perf_counter()
        size = task.get("batch", len(raw))
        outcomes = [
            outcome
            for start in range(0, len(raw), size)
            for outcome in translator.translate(task["pair"], raw[start : start + size])
        ]
        seconds = time.perf_counter() - started
        texts = [outcome if isinstance(outcome, str) else None for outcome in outcomes]
        sys.stdout.write(json.dumps({"texts": texts, "seconds": seconds}) + "\n")
        sys.stdout.flush()
    translator.close()


if __name__ == "__main__":
    main()
