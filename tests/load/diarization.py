"""Who speaks when, and who it is: error rates on constructed conversations of real voices.

`python -m tests.load.diarization` prints figures and goals; exit status 1 when a goal is missed.

The test data has three real speakers (`tests.support.voices`); the conversations differ in who
takes part, in the order, length and level of the turns, in gaps and in short words between. The
settings were chosen on other conversations (`--tuned` measures those). Voices made of real ones
by resampling and synthetic ones are measured beside, with no goal: a person does not change pitch
and vocal tract at once, and a synthesizer's voices share one.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from deploy.local.triton import TritonServer
from services.asr.inference.speaker_model import SpeakerModel
from services.asr.inference.vad_model import VadModel
from services.asr.models.audio import SAMPLE_RATE
from services.asr.models.speakers import (
    Diarization,
    DiarizationOptions,
    DiarizedSpeaker,
    Embedding,
    Identity,
    KnownVoices,
)
from services.asr.services.diarization import DiarizationRules, Diarizer
from services.asr.services.speakers_matching import MatchingRules, decided
from shared.metrics import Metrics
from shared.triton.client import TritonClient
from tests.load.machine import cpu_seconds
from tests.support.diarization_error import DiarizationError, diarization_error
from tests.support.voices import Conversation, Voice, altered, converse, real_voices, synthetic

MODELS = Path(__file__).resolve().parents[2] / "triton_models"
KNOWN_GOAL, FREE_GOAL, UNKNOWN_GOAL, COST_GOAL = 0.05, 0.15, 0.90, 18.0
_HELD_OUT, _TUNED = 5_000, 0
_NOTHING = DiarizationError(0.0, 0.0, 0.0, 0.0)


@dataclass
class Score:
    """Errors of one kind of conversations."""

    known: DiarizationError = _NOTHING
    free: DiarizationError = _NOTHING
    counted: int = 0
    conversations: int = 0
    worst: float = 0.0


@dataclass
class Trials:
    """Voices that are known, and voices that are not."""

    recognized: list[bool] = field(default_factory=list)
    refused: list[bool] = field(default_factory=list)
    mistaken: int = 0


def conversations(first_seed: int) -> Iterator[tuple[str, Conversation]]:
    """Kinds and conversations of about a minute."""
    real = real_voices()
    other = [altered(voice, factor) for voice in real for factor in (0.84, 1.19)]
    made = [synthetic(name) for name in ("en-us+f5", "en-gb+m3")]
    for seed in range(first_seed, first_seed + 5):
        for size in (2, 3):
            for people in combinations(real, size):
                yield f"real, {size} speakers", converse(people, seed * 10 + size)
    for seed in range(first_seed, first_seed + 2):
        for index, voice in enumerate(real):
            low, high = other[2 * index : 2 * index + 2]
            stranger = real[(index + 1) % 3]
            yield "with altered voices", converse([low, stranger], seed * 10 + 5 + index)
            yield "with altered voices", converse([voice, high, stranger], seed * 10 + 5 + index)
        yield "with synthetic voices", converse([real[0], *made], seed * 10 + 9)


async def error_rates(diarizer: Diarizer, first_seed: int) -> dict[str, Score]:
    """Score every conversation with and without the count of its speakers."""
    scores: dict[str, Score] = {}
    for kind, talk in conversations(first_seed):
        score = scores.setdefault(kind, Score())
        known, free = [
            await diarizer.diarize(talk.pcm, options)
            for options in (DiarizationOptions(num_speakers=talk.speakers), DiarizationOptions())
        ]
        score.known += _error(talk, known)
        score.free += _error(talk, free)
        score.counted += len(free.speakers) == talk.speakers
        score.conversations += 1
        score.worst = max(score.worst, _error(talk, free).rate)
    return scores


def _error(talk: Conversation, found: Diarization) -> DiarizationError:
    segments = [(one.start_time, one.end_time, one.speaker) for one in found.segments]
    return diarization_error(talk.turns, segments)


async def identification(diarizer: Diarizer, first_seed: int) -> dict[str, Trials]:
    """Enrol from one half of a voice, try the other half in conversations and alone.

    In each conversation every participant is left out of the known ones once: as an unknown among
    known ones.
    """
    real, rules = real_voices(), MatchingRules()
    enrolled = {voice.name: await _voice(diarizer, voice.part(0, 0.5)) for voice in real}
    trials = {"real": Trials(), "altered and synthetic, none of them known": Trials()}
    for seed in range(first_seed, first_seed + 8):
        people = [voice.part(0.5, 1) for voice in real]
        talk = converse(people, seed, seconds=30)
        found = await diarizer.diarize(talk.pcm, DiarizationOptions(num_speakers=3))
        names = _true_names(talk, found)
        for left_out in enrolled:
            known = _known({name: one for name, one in enrolled.items() if name != left_out})
            for speaker, name in zip(
                decided(found.speakers, found.voices, known, rules), names, strict=True
            ):
                _note(trials["real"], speaker, None if name == left_out else name)
    strangers = [altered(voice, factor) for voice in real for factor in (0.84, 1.19)]
    strangers += [synthetic(name) for name in ("en-us+f5", "en-gb+m3", "en-us+m7", "en-gb+f2")]
    everybody = _known(enrolled)
    for voice in strangers:
        for half in (voice.part(0, 0.5), voice.part(0.5, 1)):
            found = await diarizer.diarize(half.pcm(), DiarizationOptions(num_speakers=1))
            (speaker,) = decided(found.speakers, found.voices, everybody, rules)
            _note(trials["altered and synthetic, none of them known"], speaker, None)
    return trials


async def _voice(diarizer: Diarizer, voice: Voice) -> Embedding:
    found = await diarizer.diarize(voice.pcm(), DiarizationOptions(num_speakers=1))
    return found.voices[0]


def _known(voices: dict[str, Embedding]) -> KnownVoices:
    return KnownVoices(tuple(voices), tuple(voices), np.stack(list(voices.values())))


def _true_names(talk: Conversation, found: Diarization) -> list[str]:
    """Whose voice each found speaker mostly is."""
    names = []
    for speaker in found.speakers:
        spoken: dict[str, float] = {}
        for one in found.segments:
            for start, end, name in talk.turns if one.speaker == speaker.label else ():
                inside = min(end, one.end_time) - max(start, one.start_time)
                spoken[name] = spoken.get(name, 0.0) + max(inside, 0.0)
        names.append(max(spoken, key=lambda name: spoken[name]))
    return names


def _note(trials: Trials, speaker: DiarizedSpeaker, truth: str | None) -> None:
    if truth is None:
        trials.refused.append(speaker.identity is Identity.UNKNOWN)
        return
    trials.recognized.append(speaker.known is not None and speaker.known.id == truth)
    trials.mistaken += speaker.known is not None and speaker.known.id != truth


async def cost(diarizer: Diarizer, server: TritonServer) -> tuple[float, float]:
    """For a second of audio: milliseconds of the speaker model's CPU, and of the clock.

    The clock counts whatever else the machine does; the processor's time does not.
    """
    talk = converse(real_voices(), 1, seconds=120)
    await diarizer.diarize(talk.pcm[: 10 * SAMPLE_RATE], DiarizationOptions())
    processes = server.stub_pids("speaker")
    busy, started = sum(map(cpu_seconds, processes)), time.perf_counter()
    await diarizer.diarize(talk.pcm, DiarizationOptions())
    scale = 1000 / (len(talk.pcm) / SAMPLE_RATE)
    clock = time.perf_counter() - started
    return (sum(map(cpu_seconds, processes)) - busy) * scale, clock * scale


def goal(name: str, value: float, limit: float, *, at_least: bool = False) -> bool:
    """Print a figure beside its goal."""
    met = value >= limit if at_least else value <= limit
    sign = "≥" if at_least else "≤"
    print(f"{'ok    ' if met else 'MISSED'} {name}: {value:.3f} (goal {sign} {limit})")
    return met


def report(scores: dict[str, Score], trials: dict[str, Trials], costs: tuple[float, float]) -> bool:
    """Print everything; whether all goals are met."""
    for kind, score in scores.items():
        print(
            f"{kind}: {score.conversations} conversations, {score.known.scored / 60:.1f} min; "
            f"error {score.known.rate:.3f} with known count, {score.free.rate:.3f} without "
            f"(worst {score.worst:.3f}); count found {score.counted}/{score.conversations}"
        )
    for kind, one in trials.items():
        refused = f"unknown as unknown {sum(one.refused)}/{len(one.refused)}"
        known = f"known recognized {sum(one.recognized)}/{len(one.recognized)}"
        print(f"{kind}: {refused}, {known}, taken for another {one.mistaken}")
    print(f"diarization with VAD: {costs[1]:.1f} ms of clock for a second of audio")
    real = [score for kind, score in scores.items() if kind.startswith("real")]
    known, free = _NOTHING, _NOTHING
    for score in real:
        known, free = known + score.known, free + score.free
    refused = trials["real"].refused
    return all(
        [
            goal("error rate, real voices, count known", known.rate, KNOWN_GOAL),
            goal("error rate, real voices, count unknown", free.rate, FREE_GOAL),
            goal("unknown as unknown", sum(refused) / len(refused), UNKNOWN_GOAL, at_least=True),
            goal("speaker model, CPU ms for a second of audio", costs[0], COST_GOAL),
        ]
    )


async def measure(server: TritonServer, first_seed: int) -> bool:
    """Everything, against a running Triton."""
    client = TritonClient(server.grpc_url, 60.0, Metrics("load"))
    try:
        diarizer = Diarizer(
            VadModel(client, "vad"), SpeakerModel(client, "speaker"), DiarizationRules(), 2
        )
        scores = await error_rates(diarizer, first_seed)
        trials = await identification(diarizer, first_seed)
        return report(scores, trials, await cost(diarizer, server))
    finally:
        await client.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Start Triton, measure, stop it."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.diarization")
    parser.add_argument("--tuned", action="store_true", help="the seeds the settings come from")
    seed = _TUNED if parser.parse_args(arguments).tuned else _HELD_OUT
    with tempfile.TemporaryDirectory() as folder:
        server = TritonServer(MODELS, Path(folder), models=["speaker", "vad"], instances=2)
        server.start()
        try:
            return 0 if asyncio.run(measure(server, seed)) else 1
        finally:
            server.close()


if __name__ == "__main__":
    sys.exit(main())
