"""Long recordings made of the real ones: shuffled, with pauses of the rooms' own sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.support.recordings import SAMPLE_RATE, Recording, recordings

_QUIET = SAMPLE_RATE // 5
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.4, 2.5


@dataclass(frozen=True)
class LongSpeech:
    """A long recording.

    Attributes:
        pcm: `[T] int16`, 16 kHz.
        said: The recordings in it, in order.
        borders: Where each begins and ends, in samples.
    """

    pcm: NDArray[np.int16]
    said: list[Recording]
    borders: list[tuple[int, int]]

    @property
    def reference(self) -> str:
        """What is said in it."""
        return " ".join(one.reference for one in self.said)


def long_speech(seconds: float, seed: int = 1) -> LongSpeech:
    """A recording of this length; it ends with the pause after a recording."""
    rng = np.random.default_rng(seed)
    known = [(one, one.samples(), _room(one.samples())) for one in recordings()]
    total = int(seconds * SAMPLE_RATE)
    parts: list[NDArray[np.int16]] = []
    said: list[Recording] = []
    borders: list[tuple[int, int]] = []
    length = 0
    while True:
        for index in rng.permutation(len(known)):
            one, samples, room = known[index]
            pause = int(rng.uniform(_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S) * SAMPLE_RATE)
            if length + len(samples) + pause > total:
                parts.append(np.resize(room, total - length))
                return LongSpeech(np.concatenate(parts), said, borders)
            parts += [samples, np.resize(room, pause)]
            said.append(one)
            borders.append((length, length + len(samples)))
            length += len(samples) + pause


def _room(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """The quietest fifth of a second, there and back, so that it repeats without a click."""
    power = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    starts = np.arange(0, len(samples) - _QUIET, _QUIET // 20)
    start = int(starts[np.argmin(power[starts + _QUIET] - power[starts])])
    quiet = samples[start : start + _QUIET]
    return np.concatenate([quiet, quiet[::-1]])
