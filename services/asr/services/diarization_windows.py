"""Cuts speech into the windows that voice vectors are made of. Pure functions over samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.asr.models.audio import SAMPLE_RATE, Span

WINDOW = SAMPLE_RATE * 8 // 5
"""What the speaker model was trained on: 1.6 s."""
SHORTEST = SAMPLE_RATE * 2 // 5
_GRAIN = SAMPLE_RATE // 5
_MAX_WINDOWS = 20_000


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of an audio, in order of time.

    Attributes:
        spans: Where they are.
        regions: The number of the speech region that each is of.
    """

    spans: tuple[Span, ...]
    regions: NDArray[np.int64]

    @property
    def middles(self) -> NDArray[np.float64]:
        """The middle of each, in samples."""
        return np.array([(span.start + span.end) / 2 for span in self.spans])

    @property
    def lengths(self) -> NDArray[np.float64]:
        """The length of each, in samples."""
        return np.array([float(span.length) for span in self.spans])


def windows_of(regions: Sequence[Span], total: int, hop: int) -> Windows:
    """Windows over each region: one if it is short, else overlapping ones.

    Windows have few different lengths, so that they can be sent in batches. A region that is too
    short for the model is widened into what is around it.

    Args:
        regions: Where speech is, in order, apart.
        total: Samples of the audio.
        hop: From one window to the next; longer where there would be too many windows.
    """
    speech = sum(region.length for region in regions)
    hop = max(hop, -(-speech // _MAX_WINDOWS))
    spans: list[Span] = []
    numbers: list[int] = []
    for number, region in enumerate(regions):
        made = _over(region, hop) if region.length >= SHORTEST else _widened(region, total)
        spans += made
        numbers += [number] * len(made)
    return Windows(tuple(spans), np.array(numbers, np.int64))


def batches(windows: Windows, size: int) -> list[NDArray[np.int64]]:
    """The numbers of the windows in batches, each of windows of one length."""
    lengths = np.array([span.length for span in windows.spans], np.int64)
    return [
        rows[first : first + size]
        for length in np.unique(lengths)
        for rows in [np.flatnonzero(lengths == length)]
        for first in range(0, len(rows), size)
    ]


def _over(region: Span, hop: int) -> list[Span]:
    if region.length <= WINDOW:
        length = region.length // _GRAIN * _GRAIN
        start = region.start + (region.length - length) // 2
        return [Span(start, start + length)]
    # Evenly, so that the last one ends with the region.
    count = -(-(region.length - WINDOW) // hop) + 1
    starts = np.linspace(region.start, region.end - WINDOW, count).astype(int)
    return [Span(int(start), int(start) + WINDOW) for start in starts]


def _widened(region: Span, total: int) -> list[Span]:
    """The shortest window around a region; none where the audio itself is shorter."""
    if total < SHORTEST:
        return []
    start = region.start + (region.length - SHORTEST) // 2
    start = min(max(start, 0), total - SHORTEST)
    return [Span(start, start + SHORTEST)]
