"""Real voices for tests, and conversations made of them with the times of every turn.

The recordings are those of Debian's pocketsphinx-testdata. It names no speakers; by folder, and
by how alike they sound to the model under test, they are of three: the reader of the LibriVox
chapter, one who names playing cards, and one who gives robot commands and reads numbers. That is
all real speech there is at hand, so a fourth and more are made of it by resampling (a real voice
with another pitch and another vocal tract: `altered`) or by eSpeak NG (`synthetic`).
"""

import random
import subprocess
import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tests.support.recordings import FOLDER, SAMPLE_RATE, recordings

Samples = NDArray[np.float32]
_TESTDATA = FOLDER.parent
_FRAME = SAMPLE_RATE // 50
_LEVEL = 10 ** (-23 / 20)
_SENTENCES = (
    "The weather was better than anyone had expected for the season.",
    "We could meet on Thursday and go through the whole list together.",
    "I have never seen so many boats in that harbour at one time.",
    "Please send me the numbers before the end of the week.",
    "She took the early train and arrived before noon.",
)


@dataclass(frozen=True)
class Voice:
    """A speaker's speech in pieces of 0.5 to 1.5 s, `[T] float32` each, in their own order."""

    name: str
    kind: str
    pieces: tuple[Samples, ...]

    @property
    def seconds(self) -> float:
        return sum(map(len, self.pieces)) / SAMPLE_RATE

    def part(self, first: float, last: float) -> "Voice":
        """The pieces from one share of the speech to another (0 to 1)."""
        ends = np.cumsum([len(piece) for piece in self.pieces])
        kept = [
            piece
            for piece, end in zip(self.pieces, ends, strict=True)
            if first * ends[-1] < end <= last * ends[-1]
        ]
        return Voice(self.name, self.kind, tuple(kept))

    def pcm(self) -> NDArray[np.int16]:
        """All of it."""
        return to_pcm(np.concatenate(self.pieces))


@dataclass(frozen=True)
class Conversation:
    """Audio, and who speaks in it from when to when, in seconds."""

    name: str
    pcm: NDArray[np.int16]
    turns: tuple[tuple[float, float, str], ...]

    @property
    def speakers(self) -> int:
        return len({speaker for _, _, speaker in self.turns})


def to_pcm(samples: Samples) -> NDArray[np.int16]:
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)


def real_voices() -> list[Voice]:
    """The three speakers of the test data."""
    reader = [one.samples() for one in recordings()]
    cards = [_wav(path) for path in sorted((_TESTDATA / "cards").glob("*.wav"))]
    names = ("goforward.raw", "numbers.raw", "something.raw", "tidigits/dhd.2934z.raw")
    commands = [np.fromfile(_TESTDATA / name, np.int16) for name in names]
    return [
        _voice("reader", "real", reader),
        _voice("cards", "real", cards),
        _voice("commands", "real", commands),
    ]


def altered(voice: Voice, factor: float) -> Voice:
    """Another speaker, made of a real one: higher and faster by a factor, or lower and slower."""
    pieces = [soxr.resample(piece, SAMPLE_RATE * factor, SAMPLE_RATE) for piece in voice.pieces]
    return Voice(f"{voice.name}×{factor}", "altered", tuple(map(_levelled, pieces)))


def synthetic(variant: str) -> Voice:
    """A voice of eSpeak NG, such as `en-us+f5`."""
    clips = []
    with tempfile.TemporaryDirectory() as folder:
        for index, sentence in enumerate(_SENTENCES):
            path = Path(folder) / f"{index}.wav"
            command = ["espeak-ng", "-b", "1", "-v", variant, "-s", "150", "-w", str(path)]
            subprocess.run(command, input=sentence.encode(), check=True, timeout=30)
            samples, rate = soundfile.read(path, dtype="float32")
            clips.append(to_pcm(soxr.resample(samples, rate, SAMPLE_RATE)))
    return _voice(variant, "synthetic", clips)


def converse(
    voices: Sequence[Voice], seed: int, *, seconds: float = 60.0, backchannels: float = 0.25
) -> Conversation:
    """A conversation: turns of 2 to 6 s with gaps, and now and then a short word between.

    Args:
        voices: Who takes part.
        seed: Everything random depends on it.
        seconds: About how long it is.
        backchannels: Share of the turns within which another speaker says something short.
    """
    chance = random.Random(seed)
    next_piece = {voice.name: _piece_maker(voice, chance) for voice in voices}
    gains = {voice.name: 10 ** (chance.uniform(-3, 3) / 20) for voice in voices}
    parts: list[Samples] = []
    turns: list[tuple[float, float, str]] = []
    length = 0

    def say(voice: Voice, pieces: Sequence[Samples]) -> None:
        nonlocal length
        piece = np.concatenate(pieces)
        parts.append((piece * gains[voice.name]).astype(np.float32))
        turns.extend(
            ((length + start) / SAMPLE_RATE, (length + end) / SAMPLE_RATE, voice.name)
            for start, end in _speech(piece)
        )
        length += len(piece)

    def wait(shortest: float, longest: float) -> None:
        nonlocal length
        parts.append(np.zeros(int(chance.uniform(shortest, longest) * SAMPLE_RATE), np.float32))
        length += len(parts[-1])

    speaker = chance.choice(voices)
    for turn in count():
        if length > seconds * SAMPLE_RATE and turn >= 2 * len(voices):
            break
        wanted, said = chance.uniform(2, 6) * SAMPLE_RATE, 0
        pieces = []
        while said < wanted:
            pieces.append(next_piece[speaker.name]())
            said += len(pieces[-1])
        if len(pieces) > 1 and chance.random() < backchannels:
            cut = chance.randrange(1, len(pieces))
            other = chance.choice([one for one in voices if one is not speaker])
            say(speaker, pieces[:cut])
            wait(0.05, 0.3)
            say(other, [min(other.pieces, key=len)])
            wait(0.05, 0.3)
            pieces = pieces[cut:]
        say(speaker, pieces)
        # A fifth of the answers come at once.
        wait(0.0, 0.05) if chance.random() < 0.2 else wait(0.2, 0.9)
        speaker = chance.choice([one for one in voices if one is not speaker])
    noise = np.random.default_rng(seed).normal(0, 10 ** (-55 / 20), length)
    samples = np.concatenate(parts) + noise.astype(np.float32)
    name = f"{'+'.join(voice.name for voice in voices)}#{seed}"
    return Conversation(name, to_pcm(samples), tuple(turns))


def _piece_maker(voice: Voice, chance: random.Random) -> Callable[[], Samples]:
    """The voice's pieces in order from a random one on, over and over."""
    places = count(chance.randrange(len(voice.pieces)))
    return lambda: voice.pieces[next(places) % len(voice.pieces)]


def _wav(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert file.getframerate() == SAMPLE_RATE
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


def _voice(name: str, kind: str, clips: Sequence[NDArray[np.int16]]) -> Voice:
    pieces: list[Samples] = []
    for clip in clips:
        samples = clip.astype(np.float32) / 32768
        spans = _speech(samples)
        # A little of the silence stays: speech fades out.
        first, last = max(spans[0][0] - _FRAME, 0), min(spans[-1][1] + 2 * _FRAME, len(samples))
        pieces += _pieces(_levelled(samples[first:last]))
    return Voice(name, kind, tuple(pieces))


def _pieces(samples: Samples) -> list[Samples]:
    """Cut where it is quietest, into pieces of 0.5 to 1.5 s."""
    pieces: list[Samples] = []
    shortest, longest = SAMPLE_RATE // 2, SAMPLE_RATE * 3 // 2
    while len(samples) > longest + shortest:
        part = samples[shortest:longest]
        energy = np.square(part[: len(part) // _FRAME * _FRAME]).reshape(-1, _FRAME).sum(axis=1)
        smooth = np.convolve(energy, np.ones(3), mode="valid")
        cut = shortest + (int(np.argmin(smooth)) + 1) * _FRAME + _FRAME // 2
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]


def _levelled(piece: Samples) -> Samples:
    power = float(np.sqrt(np.mean(np.square(piece))))
    levelled: Samples = (piece * (_LEVEL / max(power, 1e-6))).astype(np.float32)
    return levelled


def _speech(samples: Samples) -> list[tuple[int, int]]:
    """Where there is sound, by energy alone; what is apart by less than 0.3 s is one."""
    frames = len(samples) // _FRAME
    energy = np.square(samples[: frames * _FRAME]).reshape(frames, _FRAME).mean(axis=1)
    loud = 10 * np.log10(energy + 1e-12)
    low, high = np.percentile(loud, [10, 95])
    spans: list[list[int]] = []
    for index in np.flatnonzero(loud > max(high - 30, low + 0.4 * (high - low))):
        if spans and (index - spans[-1][1]) * _FRAME < 0.3 * SAMPLE_RATE:
            spans[-1][1] = int(index) + 1
        else:
            spans.append([int(index), int(index) + 1])
    return [
        (first * _FRAME, last * _FRAME)
        for first, last in spans
        if (last - first) * _FRAME >= 0.15 * SAMPLE_RATE
    ]
