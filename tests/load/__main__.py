"""Runs the measurements one after the other: `python -m tests.load bench|drill [PART …]`.

Exit status 1 when one of them missed a goal; the others run all the same.
"""

import argparse
import subprocess
import sys
import time

PARTS = {
    "bench": (
        "gateway", "profile", "workers", "websocket", "overhead", "throughput", "long_audio",
        "streaming", "diarization", "punctuation", "speech", "translation", "conversation_moments",
        "text_analysis", "pipelines", "capacity",
    ),
    "drill": (
        "faults", "full_faults", "rolling", "slowloris", "limits", "resume", "fuzz_audio",
        "fuzz_streams", "fuzz_api",
    ),
}  # fmt: skip


def main() -> int:
    """Run what is asked for, and say at the end which goals were missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("kind", choices=PARTS)
    parser.add_argument("part", nargs="*", help="all of them when none is named")
    given = parser.parse_args()
    unknown = set(given.part) - set(PARTS[given.kind])
    if unknown:
        parser.error(
            f"no part {', '.join(sorted(unknown))}; there are: {' '.join(PARTS[given.kind])}"
        )
    ends = []
    for part in given.part or PARTS[given.kind]:
        print(f"\n== {part}", flush=True)
        started = time.monotonic()
        status = subprocess.run(
            [sys.executable, "-m", f"tests.load.{part}"], check=False
        ).returncode
        ends.append((part, time.monotonic() - started, status))
    print("\n" + "-" * 40)
    for part, seconds, status in ends:
        print(f"{part:<20} {seconds:6.0f} s   {'MISSED' if status else 'ok'}")
    return int(any(status for *_, status in ends))


if __name__ == "__main__":
    sys.exit(main())
