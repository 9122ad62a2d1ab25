"""Cuts audio into segments for the recognizer: in silence, never in a word where there is a choice.

Speech regions of the voice activity model are packed into segments up to a length, so that the
recognizer has context and the per-call costs are few. Pure functions over sample indices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.asr.models.audio import SAMPLE_RATE, Span
from shared.audio.contract import Samples

_ENERGY_FRAME = SAMPLE_RATE // 50
_SMOOTHING_FRAMES = 5


@dataclass(frozen=True, slots=True)
class PackingRules:
    """How segments are made; all in samples.

    Attributes:
        max_length: Longest segment.
        pad: Silence kept on both sides of speech, where there is that much.
        edge: Silence at the ends of the audio that is not worth trimming: short audio then goes
            to the recognizer as it came.
        max_gap: Longer silence inside a segment is not sent, once the speech does not fit
            one segment anyway. A model may know better, see `segment_gap_s` of its parameters.
    """

    max_length: int
    pad: int
    edge: int = SAMPLE_RATE // 2
    max_gap: int = 3 * SAMPLE_RATE

    def __post_init__(self) -> None:
        """Refuse rules that leave no room for speech."""
        if not 0 <= 4 * self.pad < self.max_length:
            msg = "the pad must be under a quarter of the longest segment"
            raise ValueError(msg)


def pack(regions: Sequence[Span], pcm: Samples, rules: PackingRules) -> list[Span]:
    """Segments that hold every region, in order, apart from each other, none too long.

    Args:
        regions: Where speech is; may overlap or pass the audio's end.
        pcm: The audio; looked at only where a region is too long.
        rules: Lengths.
    """
    speech = normalize(regions, len(pcm))
    if not speech:
        return []
    whole = _padded([[speech[0], speech[-1]]], len(pcm), rules)[0]
    if whole.length <= rules.max_length:
        return [whole]
    pieces = [piece for region in speech for piece in split_long(region, pcm, rules)]
    return _padded(_group(pieces, rules), len(pcm), rules)


def normalize(regions: Sequence[Span], total: int) -> list[Span]:
    """The regions inside the audio, in order, overlapping or touching ones joined."""
    joined: list[Span] = []
    for region in sorted(regions, key=lambda span: span.start):
        start, end = max(region.start, 0), min(region.end, total)
        if start >= end:
            continue
        if joined and start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, end))
        else:
            joined.append(Span(start, end))
    return joined


def split_long(region: Span, pcm: Samples, rules: PackingRules) -> list[Span]:
    """Cut a region that is longer than a segment at its quietest places."""
    room = _room(rules)
    pieces: list[Span] = []
    start = region.start
    while region.end - start > room:
        cut = quietest(pcm, Span(start + room // 2, start + room))
        pieces.append(Span(start, cut))
        start = cut
    pieces.append(Span(start, region.end))
    return pieces


def quietest(pcm: Samples, window: Span) -> int:
    """The sample in the middle of the window's least energetic 100 ms."""
    part = pcm[window.start : window.end].astype(np.float32)
    frames = len(part) // _ENERGY_FRAME
    if frames == 0:
        return window.start + window.length // 2
    energy = np.square(part[: frames * _ENERGY_FRAME]).reshape(frames, _ENERGY_FRAME).sum(axis=1)
    width = min(_SMOOTHING_FRAMES, frames)
    smoothed = np.convolve(energy, np.ones(width), mode="valid")
    middle = int(np.argmin(smoothed)) * _ENERGY_FRAME + width * _ENERGY_FRAME // 2
    return window.start + middle


def _room(rules: PackingRules) -> int:
    """How long the speech of a segment may be, so that its pads fit as well."""
    return rules.max_length - 2 * rules.pad


def _group(pieces: Sequence[Span], rules: PackingRules) -> list[list[Span]]:
    """Put neighbours together while they fit, and part them at the longest silence near the end."""
    groups: list[list[Span]] = []
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and _fits(pieces, first, last + 1, rules):
            last += 1
        if last + 1 < len(pieces) and _gap(pieces, last) <= rules.max_gap:
            last = _best_end(pieces, first, last)
        groups.append(list(pieces[first : last + 1]))
        first = last + 1
    return groups


def _fits(pieces: Sequence[Span], first: int, last: int, rules: PackingRules) -> bool:
    length = pieces[last].end - pieces[first].start
    return length <= _room(rules) and _gap(pieces, last - 1) <= rules.max_gap


def _gap(pieces: Sequence[Span], index: int) -> int:
    """Silence after a piece."""
    return pieces[index + 1].start - pieces[index].end


def _best_end(pieces: Sequence[Span], first: int, last: int) -> int:
    """Of the ends in the second half of what fits, the one before the longest silence."""
    half = (pieces[last].end - pieces[first].start) // 2
    ends = [
        index for index in range(first, last + 1) if pieces[index].end - pieces[first].start >= half
    ]
    return max(ends, key=lambda index: (_gap(pieces, index), index))


def _padded(groups: Sequence[Sequence[Span]], total: int, rules: PackingRules) -> list[Span]:
    """Widen each group by the pad, at most to the middle of the silence beside it."""
    padded: list[Span] = []
    for index, group in enumerate(groups):
        start, end = group[0].start, group[-1].end
        if index:
            before = groups[index - 1][-1].end
            start = max(start - rules.pad, before + (start - before) // 2)
        else:
            start = _edge(start, rules)
        if index + 1 < len(groups):
            after = groups[index + 1][0].start
            end = min(end + rules.pad, end + (after - end) // 2)
        else:
            end = total - _edge(total - end, rules)
        if end - start > rules.max_length:  # Only an untrimmed edge can be too much.
            start = max(start, group[0].start - rules.pad)
            end = min(end, group[-1].end + rules.pad)
        padded.append(Span(start, end))
    return padded


def _edge(silence: int, rules: PackingRules) -> int:
    """How much of the silence at an end of the audio is cut away."""
    return 0 if silence <= max(rules.edge, rules.pad) else silence - rules.pad
