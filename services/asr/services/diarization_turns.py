"""From windows with speakers to turns: who speaks in each tenth of a second, without trembling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.services.diarization_clustering import Vectors, group_means
from services.asr.services.diarization_windows import Windows
from shared.audio.contract import Samples

FRAME = SAMPLE_RATE // 10
_QUIET = SAMPLE_RATE // 50
_ROUNDS = 2
_MOSTLY = 0.8


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How reluctantly the speaker changes.

    Attributes:
        reach: Samples around a frame whose windows have a say.
        change: Cost of a change within a stretch of speech, in the unit of a cosine and a frame.
        pause_change: Cost of a change at a pause.
        snap: Samples around a change in which the quietest place is taken for it.
    """

    reach: int = SAMPLE_RATE * 8 // 10
    change: float = 0.5
    pause_change: float = 0.1
    snap: int = SAMPLE_RATE // 4


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of one speaker's speech."""

    span: Span
    speaker: int


def decode(
    windows: Windows,
    vectors: Vectors,
    labels: NDArray[np.int64],
    regions: Sequence[Span],
    pcm: Samples,
    smoothing: Smoothing,
) -> list[Turn]:
    """The turns of an audio, in order; they cover the regions.

    The speakers' mean vectors are those of the labels at first, and then those of the windows
    that the turns found show to be of one speaker: windows across a change count no more.

    Args:
        windows: The windows.
        vectors: `[n, d]`, the vector of each window.
        labels: `[n]`, the speaker of each window, from 0.
        regions: Where speech is.
        pcm: The audio; a change is put where it is quietest.
        smoothing: How reluctantly the speaker changes.
    """
    speakers = int(labels.max()) + 1
    weights = windows.lengths
    means, _ = group_means(vectors, weights, labels, speakers)
    turns: list[Turn] = []
    for _ in range(_ROUNDS):
        scores = vectors @ means.T
        turns = _turns(windows, scores, regions, pcm, smoothing)
        pure = _pure(windows, turns)
        for speaker in range(speakers):
            own = pure == speaker
            if own.any():
                summed = (vectors[own] * weights[own, None]).sum(axis=0)
                means[speaker] = summed / max(float(np.linalg.norm(summed)), 1e-9)
    return turns


def _turns(
    windows: Windows,
    scores: NDArray[np.float32],
    regions: Sequence[Span],
    pcm: Samples,
    smoothing: Smoothing,
) -> list[Turn]:
    frames, starts = _frame_scores(windows, scores, regions, smoothing.reach)
    costs = np.where(starts, smoothing.pause_change, smoothing.change)
    path = viterbi(frames, costs)
    turns: list[Turn] = []
    first = 0
    for region in regions:
        count = _frame_count(region)
        own = path[first : first + count]
        first += count
        changes = np.flatnonzero(own[1:] != own[:-1]) + 1
        edges = [region.start]
        for change in changes:
            rough = region.start + int(change) * FRAME
            edges.append(_quietest(pcm, rough, max(edges[-1], region.start), region.end, smoothing))
        edges.append(region.end)
        speakers = [int(own[0]), *(int(own[change]) for change in changes)]
        turns += [
            Turn(Span(start, end), speaker)
            for start, end, speaker in zip(edges[:-1], edges[1:], speakers, strict=True)
            if start < end
        ]
    return turns


def _frame_count(region: Span) -> int:
    return max(-(-region.length // FRAME), 1)


def _frame_scores(
    windows: Windows, scores: NDArray[np.float32], regions: Sequence[Span], reach: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The scores of each frame of the regions, from its region's windows, nearer ones more.

    Returns:
        Scores `[frames, speakers]`, and which frames begin a region.
    """
    found: list[NDArray[np.float64]] = []
    begins: list[NDArray[np.bool_]] = []
    middles = windows.middles
    for number, region in enumerate(regions):
        frames = np.arange(_frame_count(region), dtype=np.float64)
        places: NDArray[np.float64] = region.start + (frames + 0.5) * FRAME
        first, last = np.searchsorted(windows.regions, [number, number + 1])
        if first == last:  # Audio too short for a window: nobody is preferred.
            found.append(np.zeros((len(places), scores.shape[1])))
        else:
            own = scores[first:last].astype(np.float64)
            found.append(_nearby(places, middles[first:last], own, reach))
        begins.append(np.arange(len(places)) == 0)
    return np.concatenate(found), np.concatenate(begins)


def _nearby(
    places: NDArray[np.float64],
    middles: NDArray[np.float64],
    scores: NDArray[np.float64],
    reach: int,
) -> NDArray[np.float64]:
    """The mean score at each place of the windows within reach; without any, of the nearest."""
    left, right = (np.searchsorted(middles, places + side) for side in (-reach, reach))
    total = np.zeros((len(places), scores.shape[1]))
    weight = np.zeros(len(places))
    for step in range(int((right - left).max())):
        index = np.minimum(left + step, len(middles) - 1)
        nearness = np.maximum(1 - np.abs(places - middles[index]) / reach, 0) * (
            left + step < right
        )
        total += nearness[:, None] * scores[index]
        weight += nearness
    after = np.minimum(np.searchsorted(middles, places), len(middles) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(places - middles[before]) < np.abs(places - middles[after])
    nearest = scores[np.where(closer, before, after)]
    alone = weight == 0
    total[alone], weight[alone] = nearest[alone], 1.0
    mean: NDArray[np.float64] = total / weight[:, None]
    return mean


def viterbi(scores: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """The path of the highest sum of scores less the costs of its changes.

    Args:
        scores: `[n, states]`.
        costs: `[n]`, of a change between the frame before and this one.
    """
    count, states = scores.shape
    back = np.zeros((count, states), np.int64)
    best = scores[0].copy()
    own = np.arange(states)
    for index in range(1, count):
        leader = int(best.argmax())
        changed = best[leader] - costs[index] > best
        back[index] = np.where(changed, leader, own)
        best = np.where(changed, best[leader] - costs[index], best) + scores[index]
    path = np.empty(count, np.int64)
    path[-1] = int(best.argmax())
    for index in range(count - 1, 0, -1):
        path[index - 1] = back[index, path[index]]
    return path


def _quietest(pcm: Samples, rough: int, low: int, high: int, smoothing: Smoothing) -> int:
    """The middle of the quietest 20 ms around a change."""
    start, end = max(rough - smoothing.snap, low), min(rough + smoothing.snap, high)
    part = pcm[start:end].astype(np.float32)
    frames = len(part) // _QUIET
    if frames == 0:
        return min(max(rough, low), high)
    energy = np.square(part[: frames * _QUIET]).reshape(frames, _QUIET).sum(axis=1)
    smoothed = np.convolve(energy, np.ones(min(5, frames)), mode="same")
    return start + int(np.argmin(smoothed)) * _QUIET + _QUIET // 2


def _pure(windows: Windows, turns: Sequence[Turn]) -> NDArray[np.int64]:
    """The speaker of each window that lies all but inside one turn; else -1."""
    labels = np.full(len(windows.spans), -1, np.int64)
    place = 0
    for index, span in enumerate(windows.spans):
        while place < len(turns) and turns[place].span.end <= span.start:
            place += 1
        at = place
        while at < len(turns) and turns[at].span.start < span.end:
            inside = min(span.end, turns[at].span.end) - max(span.start, turns[at].span.start)
            if inside >= _MOSTLY * span.length:
                labels[index] = turns[at].speaker
            at += 1
    return labels
