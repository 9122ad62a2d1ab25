"""From PCM to transcripts: find speech, pack segments, recognize them in parallel, merge."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from services.asr.inference.asr_model import AsrModel
from services.asr.inference.vad_model import VadModel
from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.models.transcript import Recognition, Transcript
from services.asr.services.merging import merge
from services.asr.services.packing import PackingRules, pack
from shared.audio.contract import Samples
from shared.concurrency import map_bounded

_PACKED_AT_ONCE = 120 * SAMPLE_RATE
"""Longer audio is packed in a thread: cutting an hour of noise takes half a second."""


class Recognizer:
    """Recognizes decoded audio.

    Args:
        asr: The recognition model.
        vad: The voice activity model.
        rules: How segments are made.
        parallel: Segments at once, over all requests: more would only queue inside Triton.
    """

    def __init__(self, asr: AsrModel, vad: VadModel, rules: PackingRules, parallel: int) -> None:
        self._asr = asr
        self._vad = vad
        self._rules = rules
        self._parallel = parallel
        self._slots = asyncio.Semaphore(parallel)

    @contextlib.asynccontextmanager
    async def spared(self) -> AsyncIterator[None]:
        """Leave one instance to others for a while, where there are several."""
        if self._parallel == 1:
            yield
            return
        async with self._slots:
            yield

    async def segment(
        self, audios: Sequence[Samples], model: str, *, detect: bool
    ) -> list[list[Span]]:
        """The segments of each audio; with `detect` off, all of it is taken for speech."""
        gap_s, rules = await self._asr.segment_gap_s(model), self._rules
        if gap_s is not None:
            rules = replace(rules, max_gap=int(gap_s * SAMPLE_RATE))

        async def one(pcm: Samples) -> list[Span]:
            speech = await self._vad.detect(pcm) if detect else [Span(0, len(pcm))]
            if len(pcm) <= _PACKED_AT_ONCE:
                return pack(speech, pcm, rules)
            return await asyncio.to_thread(pack, speech, pcm, rules)

        return await map_bounded(one, audios, len(audios))

    async def recognize(
        self,
        audios: Sequence[Samples],
        segments: Sequence[Sequence[Span]],
        model: str,
        language: str,
        *,
        best_tokens: int,
        boost: Sequence[str] = (),
    ) -> list[Transcript]:
        """A transcript of each audio; cancelling cancels the model's work on every segment."""
        topk = max(1, best_tokens)

        async def one(part: tuple[Samples, Span]) -> Recognition:
            pcm, span = part
            async with self._slots:  # Only now is the segment read into memory.
                return await self._asr.recognize(
                    model, pcm[span.start : span.end], language, topk=topk, boost=boost
                )

        parts = [(pcm, span) for pcm, spans in zip(audios, segments, strict=True) for span in spans]
        # A long request queues a few segments at a time, so that a short one is not behind all.
        found = iter(await map_bounded(one, parts, self._parallel))
        return [
            merge(spans, [next(found) for _ in spans], len(pcm), best_tokens=best_tokens)
            for pcm, spans in zip(audios, segments, strict=True)
        ]
