"""Who spoke when: speech regions, windows, voice vectors, groups, turns."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.asr.inference.speaker_model import SpeakerModel
from services.asr.inference.vad_model import VadModel
from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.models.speakers import (
    Diarization,
    DiarizationOptions,
    DiarizedSpeaker,
    Embedding,
    SpeakerSegment,
)
from services.asr.services.diarization_clustering import (
    Labels,
    SpeakerCount,
    Vectors,
    cluster,
    group_means,
    unit,
)
from services.asr.services.diarization_turns import Smoothing, Turn, decode
from services.asr.services.diarization_windows import Windows, batches, windows_of
from services.asr.services.packing import normalize
from shared.audio.contract import Samples
from shared.concurrency import map_bounded

_BATCH = 32
_DIGITS = 3
_JOINED_GAP = SAMPLE_RATE // 2


@dataclass(frozen=True, slots=True)
class DiarizationRules:
    """How speakers are told apart; lengths in samples.

    Attributes:
        hop: From one window to the next.
        threshold: Mean cosine distance up to which two groups of windows are one speaker.
        reliable: Shorter windows join the groups of longer ones, and make none.
        least_speech: Shorter speech makes no speaker of its own, unless the count is known.
        smoothing: How reluctantly the speaker changes.
    """

    hop: int = SAMPLE_RATE * 13 // 20
    threshold: float = 0.36
    reliable: int = SAMPLE_RATE
    least_speech: int = SAMPLE_RATE
    smoothing: Smoothing = field(default_factory=Smoothing)


class Diarizer:
    """Tells the speakers of decoded audio apart.

    Args:
        vad: Finds speech.
        voices: Makes vectors of voices.
        rules: How speakers are told apart.
        parallel: Calls of the speaker model at once, over all requests.
    """

    def __init__(
        self, vad: VadModel, voices: SpeakerModel, rules: DiarizationRules, parallel: int
    ) -> None:
        self._vad = vad
        self._voices = voices
        self._rules = rules
        self._parallel = parallel
        self._slots = asyncio.Semaphore(parallel)

    async def diarize(self, pcm: Samples, options: DiarizationOptions) -> Diarization:
        """The speakers and segments of `[T] int16` at 16 kHz.

        Raises:
            Unavailable: A model is down.
        """
        regions = normalize(await self._vad.detect(pcm), len(pcm))
        windows = windows_of(regions, len(pcm), self._rules.hop)
        if not windows.spans:
            return Diarization()
        vectors = await self._vectors(windows, pcm)
        # Numbers only, but enough of them to hold up others.
        return await asyncio.to_thread(self._told_apart, pcm, regions, windows, vectors, options)

    async def _vectors(self, windows: Windows, pcm: Samples) -> Vectors:
        async def one(rows: NDArray[np.int64]) -> Vectors:
            async with self._slots:  # Only now are the windows read into memory.
                spans = [windows.spans[row] for row in rows]
                return await self._voices.embed(
                    np.stack([pcm[span.start : span.end] for span in spans])
                )

        parts = batches(windows, _BATCH)
        found = np.concatenate(await map_bounded(one, parts, self._parallel))
        vectors = np.empty_like(found)
        vectors[np.concatenate(parts)] = found
        return vectors

    def _told_apart(
        self,
        pcm: Samples,
        regions: Sequence[Span],
        windows: Windows,
        vectors: Vectors,
        options: DiarizationOptions,
    ) -> Diarization:
        labels = self._labels(windows, vectors, options)
        turns = decode(windows, vectors, labels, regions, pcm, self._rules.smoothing)
        return _described(turns, windows, vectors)

    def _labels(self, windows: Windows, vectors: Vectors, options: DiarizationOptions) -> Labels:
        """The speaker of each window by its voice alone."""
        rules = self._rules
        wanted = SpeakerCount(
            fewest=options.num_speakers or options.min_speakers or 1,
            most=options.num_speakers or options.max_speakers,
            threshold=rules.threshold if options.threshold is None else options.threshold,
        )
        lengths = windows.lengths
        sure = np.flatnonzero(lengths >= min(rules.reliable, lengths.max()))
        own = cluster(vectors[sure], lengths[sure], wanted)
        means, mass = group_means(vectors[sure], lengths[sure], own, int(own.max()) + 1)
        if options.num_speakers is None:
            # Overlapping windows count a second of speech about window / hop times.
            enough = np.flatnonzero(mass >= 2 * rules.least_speech)
            kept = max(len(enough), min(wanted.fewest, len(mass)))
            means = means[np.sort(np.argsort(-mass, kind="stable")[:kept])]
        found: Labels = np.argmax(vectors @ means.T, axis=1).astype(np.int64)
        return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _described(turns: Sequence[Turn], windows: Windows, vectors: Vectors) -> Diarization:
    """Speakers by first appearance, with their voices; neighbouring turns of one joined."""
    order: dict[int, int] = {}
    for turn in turns:
        order.setdefault(turn.speaker, len(order))
    joined: list[Turn] = []
    spoken = [0] * len(order)
    for turn in turns:
        number = order[turn.speaker]
        spoken[number] += turn.span.length
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.speaker == number
            and turn.span.start - before.span.end <= _JOINED_GAP
        ):
            joined[-1] = Turn(Span(before.span.start, turn.span.end), number)
        else:
            joined.append(Turn(turn.span, number))
    return Diarization(
        speakers=tuple(
            DiarizedSpeaker(label(number), round(samples / SAMPLE_RATE, _DIGITS))
            for number, samples in enumerate(spoken)
        ),
        segments=tuple(
            SpeakerSegment(
                round(turn.span.start / SAMPLE_RATE, _DIGITS),
                round(turn.span.end / SAMPLE_RATE, _DIGITS),
                label(turn.speaker),
            )
            for turn in joined
        ),
        voices=_voices(joined, len(order), windows, vectors),
    )


def label(number: int) -> str:
    """The name of a recording's speaker."""
    return f"SPEAKER_{number:02d}"


def _voices(
    turns: Sequence[Turn], speakers: int, windows: Windows, vectors: Vectors
) -> tuple[Embedding, ...]:
    """The mean vector of each speaker, of windows by how much of them the speaker speaks."""
    shares = np.zeros((speakers, len(windows.spans)))
    starts = np.array([span.start for span in windows.spans])
    ends = np.array([span.end for span in windows.spans])
    for turn in turns:
        inside = np.minimum(ends, turn.span.end) - np.maximum(starts, turn.span.start)
        shares[turn.speaker] += np.maximum(inside, 0)
    # A window across a change says little: its share counts by its square.
    weights = np.square(shares / np.maximum(ends - starts, 1)) * (ends - starts)
    return tuple(unit((weights @ vectors).astype(np.float32)))
