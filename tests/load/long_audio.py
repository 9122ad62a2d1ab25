"""One long recording through the whole platform: memory, time, and whether words are lost.

`python -m tests.load.long_audio [--minutes 60]`

The recording is made of real ones, shuffled, with pauses of the room's own sound. It is sent as
one upload through the gateway. Exit status 1 when a goal is missed.

Memory is the resident size of the ASR service's process and of all processes below it (its
decoders), each at its own peak, added up; the recording lies in unlinked files on disk meanwhile.
Bare engines, one a core at once, give two comparisons. Before, they recognize the recordings by
themselves: the engine's real-time factor. Afterwards they recognize each utterance where it stands
in the long recording, at its true borders with as much of the pauses as the service leaves: the
real-time factor again, and the word error rate that cutting is to keep. That of the recordings by
themselves is printed beside: the engine's settings were chosen on them, and other silence around
the same words costs 0.02.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import jiwer

from deploy.local import procfs
from deploy.local.stack import Stack, StackOptions
from tests.load.machine import cpu_seconds, tree
from tests.support.long_speech import LongSpeech, long_speech
from tests.support.recordings import SAMPLE_RATE, EngineAlone, recordings, write_wav

MEGABYTE = 1 << 20
GOAL_MEMORY_MB = 300
GOAL_TIME = 1.15
GOAL_WER = 0.01
CLIENT_TIMEOUT_S = 1200.0
TRANSCRIBE = "/api/v1/asr/transcribe"
_PAD = int(0.3 * SAMPLE_RATE)
"""As the service's own by default."""


def peaks_mb(pid: int) -> dict[str, float]:
    """Highest resident size of a process and of each below it, by name (proc(5), VmHWM)."""
    found: dict[str, float] = {}
    for each in tree(pid):
        status = Path(f"/proc/{each}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        role = "service" if each == pid else f"decoder {each}"
        found[role] = int(line.split()[1]) / 1024
    return found


def real_time_factor(engines: Sequence[EngineAlone]) -> float:
    """Of the bare engines, all at work at once, on each recording by itself."""
    seconds = sum(len(one.samples()) for one in recordings()) / SAMPLE_RATE

    def run(engine: EngineAlone) -> float:
        return sum(engine.transcribe(one.path)[1] for one in recordings() * 2) / (2 * seconds)

    with ThreadPoolExecutor(len(engines)) as pool:
        return statistics.mean(pool.map(run, engines))


def alone_wer(speech: LongSpeech, engine: EngineAlone) -> float:
    """Word error rate of the engine on each recording by itself."""
    texts = {one.name: engine.transcribe(one.path)[0][0] for one in recordings()}
    said = speech.said
    return jiwer.wer([one.reference for one in said], [texts[one.name] for one in said])


def in_place(speech: LongSpeech, wav: Path, engines: Sequence[EngineAlone]) -> tuple[float, float]:
    """Word error rate and real-time factor of bare engines on each utterance where it stands."""
    starts = [start for start, _ in speech.borders[1:]] + [len(speech.pcm)]
    ends = [0] + [end for _, end in speech.borders[:-1]]
    pieces = []
    for (start, end), before, after in zip(speech.borders, ends, starts, strict=True):
        first, last = max(start - _PAD, (before + start) // 2), min(end + _PAD, (end + after) // 2)
        pieces.append((first / SAMPLE_RATE, last / SAMPLE_RATE))
    shares = [pieces[number :: len(engines)] for number in range(len(engines))]
    with ThreadPoolExecutor(len(engines)) as pool:
        found = list(pool.map(lambda engine, share: engine.transcribe(wav, share), engines, shares))
    texts = [""] * len(pieces)
    for number, (share, _) in enumerate(found):
        texts[number :: len(engines)] = share
    factor = sum(seconds for _, seconds in found) / sum(end - start for start, end in pieces)
    return jiwer.wer([one.reference for one in speech.said], texts), factor


def transcribe(url: str, key: str, wav: Path) -> dict[str, Any]:
    """Send the recording; its answer."""
    with httpx.Client(base_url=url, timeout=CLIENT_TIMEOUT_S, trust_env=False) as client:
        response = client.post(
            TRANSCRIBE,
            headers={"Authorization": f"Bearer {key}"},
            files={"file": ("hour.wav", wav.open("rb"))},
            data={"language": "en"},
        )
    assert response.status_code == 200, response.text[:500]
    document: dict[str, Any] = response.json()
    return document


class Watch(threading.Thread):
    """Notes the largest number of open files of a process while it runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.most = 0

    def run(self) -> None:
        with suppress(FileNotFoundError):
            while not self._ended.wait(0.2):
                self.most = max(self.most, len(list(Path(f"/proc/{self._pid}/fd").iterdir())))

    def end(self) -> None:
        self._ended.set()
        self.join()


def report(name: str, value: float, goal: float, digits: int = 3) -> bool:
    """Print a figure and its goal; whether the goal is met."""
    met = value <= goal
    print(
        f"{name:<34} {value:9.{digits}f}   goal ≤ {goal:.{digits}f}   {'ok' if met else 'MISSED'}"
    )
    return met


def judge(document: dict[str, Any], speech: LongSpeech, own_wer: float, placed_wer: float) -> bool:
    """Print what the transcript is worth; whether its goals are met."""
    (output,) = document["output"]
    words, seconds = output["words"], len(speech.pcm) / SAMPLE_RATE
    times = [time for word in words for time in (word["start"], word["end"])]
    monotone = times == sorted(times) and times[0] >= 0 and times[-1] <= seconds
    found = jiwer.wer(speech.reference, output["source"])
    print(f"words {len(words)}, segments {len(output['segments'])}, times monotone: {monotone}")
    print(
        f"word error rate: recordings by themselves {own_wer:.4f}, utterances in their place "
        f"{placed_wer:.4f}, the whole {found:.4f}"
    )
    lost = report("error rate above utterances alone", found - placed_wer, GOAL_WER, 4)
    return monotone and lost


def main() -> int:
    """Start a stack of its own, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    cores = len(os.sched_getaffinity(0))
    speech = long_speech(minutes * 60)
    with tempfile.TemporaryDirectory(prefix="speechgate-long-") as folder:
        wav = write_wav(Path(folder) / "long.wav", speech.pcm)
        size = wav.stat().st_size // MEGABYTE
        print(f"{minutes:g} min, {len(speech.said)} recordings, {size} MiB, {cores} cores")
        engines = [EngineAlone() for _ in range(cores)]
        try:
            own_wer = alone_wer(speech, engines[0])
            factors = [real_time_factor(engines)]
            with Stack(StackOptions(kind="embedded", run_dir=Path(folder) / "run")) as stack:
                key = stack.info.admin_key
                transcribe(stack.info.gateway_url, key, recordings()[0].path)
                pid = stack.info.pids["asr"]
                idle, used = peaks_mb(pid), cpu_seconds(os.getpid())
                watch = Watch(pid)
                watch.start()
                started = time.perf_counter()
                document = transcribe(stack.info.gateway_url, key, wav)
                wall = time.perf_counter() - started
                watch.end()
                used = cpu_seconds(os.getpid()) - used
                peaks = peaks_mb(pid)
                left = len(procfs.children(pid))
            placed_wer, factor = in_place(speech, wav, engines)
            factors.append(factor)
        finally:
            for engine in engines:
                engine.close()
    factor = statistics.mean(factors)
    bound = factor * minutes * 60 / cores
    print(f"timings {document['timings']}")
    print(f"resident, MB: { ({name: round(mb) for name, mb in peaks.items()}) },")
    print(f"    after one short request {sum(idle.values()):.0f}; decoders {left}")
    print(f"open files of the service: {watch.most}")
    print(f"engine's real-time factor, {cores} at once: {factors[0]:.4f}, {factors[1]:.4f}")
    print(
        f"processor time of all: {used:.1f} s, {used / (factor * minutes * 60):.3f} × the engine's"
    )
    met = [
        report("memory of the service, MB", sum(peaks.values()), GOAL_MEMORY_MB, 0),
        report(f"wall time {wall:.1f} s ÷ {bound:.1f} s", wall / bound, GOAL_TIME),
        judge(document, speech, own_wer, placed_wer),
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
