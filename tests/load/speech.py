"""Synthesis through the gateway: first byte, speed, and what a recognizer understands.

`python -m tests.load.speech [--rounds 20] [--sentences 20] [--all-rates]`

1. First byte of the audio of a 2,000-character text, on all cores: p50 and p95 of each format.
2. Seconds of audio per second until the last byte, stack and client together on one core, beside
   the bare `espeak-ng` program there; by the clock, and by the processor time that all of it took.
3. Word error rate of synthesis → recognition in every format.

Nothing comes from the cache. Exit status 1 when a goal is missed.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local.stack import Stack, StackOptions
from shared.audio.encode import OutputFormat, available_formats, best_rate
from tests.load.machine import all_seconds, on_cores, others
from tests.load.speech_round_trip import espeak, measure

FIRST_BYTE_GOAL_MS = 150.0
SPEED_GOAL = 50.0
STREAM = "/api/v1/tts/stream"
MODEL_RATE = 22_050
PROSE = (
    "The harbour was quiet that morning, and only a few boats had come back from the sea. ",
    "Nobody on the pier spoke of the storm, although everyone had seen what it left behind. ",
    "A woman in a grey coat counted the nets twice, wrote a number into her book, and sighed. ",
    "Would there be enough fish for the market on Saturday? ",
    "Further up the hill, children were already on their way to school. ",
)


def text_of(number: int) -> str:
    """2,000 characters that no other number has."""
    text = f"Report number {number} of the harbour office. "
    while len(text) < 2_000:
        text += PROSE[len(text) % len(PROSE)]
    return text[:1_999] + "."


def body(text: str, form: OutputFormat) -> dict[str, object]:
    """A request whose sound is made anew."""
    config = {
        "language": {"sourceLanguage": "en"},
        "gender": "female",
        "voice": "en-us+f5",
        "audioFormat": form.value,
        "cache": False,
    }
    return {"input": [{"source": text}], "config": config}


@contextmanager
def client_of_a_stack() -> Iterator[httpx.Client]:
    """A client of a stack of its own."""
    with tempfile.TemporaryDirectory(prefix="speechgate-speech-") as folder:
        options = StackOptions(kind="embedded", run_dir=Path(folder) / "run")
        with (
            Stack(options) as stack,
            httpx.Client(
                base_url=stack.info.gateway_url,
                headers={"Authorization": f"Bearer {stack.info.admin_key}"},
                timeout=300,
                trust_env=False,
            ) as client,
        ):
            yield client


def ask(client: httpx.Client, text: str, form: OutputFormat) -> tuple[float, float]:
    """Seconds to the first byte of audio, and to the last."""
    # A flac file states its length and leaves when it is whole; in events it leaves early.
    events = form is OutputFormat.FLAC
    wanted = {**body(text, form), "streamFormat": "sse" if events else "audio"}
    started = time.perf_counter()
    first = 0.0
    with client.stream("POST", STREAM, json=wanted) as answer:
        answer.raise_for_status()
        for part in answer.iter_raw():
            if not first and (not events or b'"type":"audio"' in part):
                first = time.perf_counter() - started
    return first, time.perf_counter() - started


def first_bytes(client: httpx.Client, rounds: int) -> bool:
    """Print p50 and p95 of each format; whether all meet the goal."""
    print(f"\nfirst byte of a 2,000-character text, {rounds} rounds", end="; ")
    print(f"goal: p95 ≤ {FIRST_BYTE_GOAL_MS:.0f} ms")
    times: dict[OutputFormat, list[float]] = {form: [] for form in available_formats()}
    with others() as taken:
        # Rounds alternate, so that a machine whose speed drifts favours no format.
        for number in range(rounds + 1):
            for form, found in times.items():
                first, _ = ask(client, text_of(number), form)
                if number:
                    found.append(1000 * first)
    met = True
    for form, found in times.items():
        late = statistics.quantiles(found, n=20, method="inclusive")[18]
        met &= late <= FIRST_BYTE_GOAL_MS
        verdict = "ok" if late <= FIRST_BYTE_GOAL_MS else "MISSED"
        middle = statistics.median(found)
        print(f"  {form.value:5} p50 {middle:6.1f} ms  p95 {late:6.1f} ms  {verdict}", flush=True)
    print(f"  other programs took {taken():.0%} of the machine")
    return met


def speeds(client: httpx.Client, rounds: int) -> bool:
    """Print seconds of audio per second of each format; whether all meet the goal.

    By the clock, and by the processor time of stack and client together: what the clock would
    show if no other program ran.
    """
    print(f"\nseconds of audio a second on one core; goal: of processor time ≥ {SPEED_GOAL:.0f}")
    formats = available_formats()
    alone: list[float] = []
    clock: dict[OutputFormat, list[float]] = {form: [] for form in formats}
    used: dict[OutputFormat, float] = dict.fromkeys(formats, 0.0)
    spoken_s = alone_cpu_s = 0.0
    with others() as taken:
        for number in range(rounds + 1):
            text = text_of(100 + number)
            started, before = time.perf_counter(), all_seconds(os.getpid())
            audio_s = len(espeak(text)) / MODEL_RATE
            if number:
                spoken_s += audio_s
                alone.append(audio_s / (time.perf_counter() - started))
                alone_cpu_s += all_seconds(os.getpid()) - before
            for form in formats:
                before = all_seconds(os.getpid())
                _, took = ask(client, text, form)
                if number:
                    clock[form].append(audio_s / took)
                    used[form] += all_seconds(os.getpid()) - before
    bare = spoken_s / alone_cpu_s
    print(
        f"  espeak-ng alone  {statistics.median(alone):6.1f} × by the clock, {bare:6.1f} × by time"
    )
    met = True
    for form in formats:
        speed = spoken_s / used[form]
        met &= speed >= SPEED_GOAL
        verdict = "ok" if speed >= SPEED_GOAL else "MISSED"
        print(
            f"  {form.value:5} {best_rate(form, MODEL_RATE):6} Hz"
            f"  {statistics.median(clock[form]):6.1f} × by the clock, {speed:6.1f} × by time"
            f" ({speed / bare:.2f} of the program alone)  {verdict}",
            flush=True,
        )
    print(f"  other programs took {taken():.0%} of the machine")
    return met


def main() -> int:
    """Start stacks of its own, measure, stop them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--sentences", type=int, default=20, help="0 leaves recognition out")
    parser.add_argument("--all-rates", action="store_true", help="of every format")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    print(f"{len(cores)} cores")
    with client_of_a_stack() as client:
        met = first_bytes(client, options.rounds)
        if options.sentences:
            met &= measure(client, options.sentences, every_rate=options.all_rates)
    with on_cores(frozenset(cores[-1:])), client_of_a_stack() as client:
        met &= speeds(client, max(options.rounds // 4, 2))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
