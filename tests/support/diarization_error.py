"""The diarization error rate (NIST RT-09 evaluation plan), with a collar around the true edges."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Segment = tuple[float, float, str]
_FRAMES = 100  # a second


@dataclass(frozen=True)
class DiarizationError:
    """Seconds of each kind of error, and of speech that was scored."""

    missed: float
    false_alarm: float
    confused: float
    scored: float

    @property
    def rate(self) -> float:
        return (self.missed + self.false_alarm + self.confused) / self.scored

    def __add__(self, other: "DiarizationError") -> "DiarizationError":
        return DiarizationError(
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confused + other.confused,
            self.scored + other.scored,
        )


def diarization_error(
    truth: Sequence[Segment], found: Sequence[Segment], *, collar: float = 0.25
) -> DiarizationError:
    """Score one recording in frames of 10 ms; segments of one side do not overlap.

    The found speakers are mapped to the true ones so that most time agrees.
    """
    end = max((edge for _, edge, _ in [*truth, *found]), default=0.0)
    size = int(end * _FRAMES) + 2
    counted = np.ones(size, bool)
    for segment in truth:
        for edge in segment[:2]:
            first, last = (round((edge + shift) * _FRAMES) for shift in (-collar, collar))
            counted[max(first, 0) : last] = False
    true_names, true_line = _line(truth, size)
    found_names, found_line = _line(found, size)
    shared = np.zeros((len(true_names), len(found_names)), int)
    both = counted & (true_line >= 0) & (found_line >= 0)
    np.add.at(shared, (true_line[both], found_line[both]), 1)
    return DiarizationError(
        missed=np.sum(counted & (true_line >= 0) & (found_line < 0)) / _FRAMES,
        false_alarm=np.sum(counted & (true_line < 0) & (found_line >= 0)) / _FRAMES,
        confused=(int(both.sum()) - _best(shared)) / _FRAMES,
        scored=np.sum(counted & (true_line >= 0)) / _FRAMES,
    )


def _line(segments: Sequence[Segment], size: int) -> tuple[list[str], NDArray[np.int64]]:
    """The speaker's number in each frame, -1 for none."""
    names = sorted({speaker for _, _, speaker in segments})
    line = np.full(size, -1)
    for start, end, speaker in segments:
        line[round(start * _FRAMES) : round(end * _FRAMES)] = names.index(speaker)
    return names, line


def _best(shared: NDArray[np.int64]) -> int:
    """The most frames that agree under any one-to-one mapping; few true speakers, so try all."""
    few, many = shared if shared.shape[0] <= shared.shape[1] else shared.T, max(shared.shape)
    if not few.size:
        return 0
    rows = range(len(few))
    return int(
        max(
            sum(few[row, column] for row, column in zip(rows, chosen, strict=True))
            for chosen in permutations(range(many), len(few))
        )
    )
