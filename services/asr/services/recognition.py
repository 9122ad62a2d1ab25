"""From PCM to transcripts: find speech, pack segments, recognize them in parallel, merge."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from services.asr.inference.asr_model import AsrModel
from services.asr.inference.vad_model import VadModel
from services.asr.models.audio import Span
from services.asr.models.transcript import Recognition, Transcript
from services.asr.services.merging import merge
from services.asr.services.packing import PackingRules, pack
from shared.audio.contract import Pcm16

Result = TypeVar("Result")


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

    async def segment(self, audios: Sequence[Pcm16], *, detect: bool) -> list[list[Span]]:
        """The segments of each audio; with `detect` off, all of it is taken for speech."""

        async def one(pcm: Pcm16) -> list[Span]:
            speech = await self._vad.detect(pcm) if detect else [Span(0, len(pcm))]
            return pack(speech, pcm, self._rules)

        return await all_or_none(one(pcm) for pcm in audios)

    async def recognize(
        self,
        audios: Sequence[Pcm16],
        segments: Sequence[Sequence[Span]],
        model: str,
        language: str,
        *,
        best_tokens: int,
    ) -> list[Transcript]:
        """A transcript of each audio; cancelling cancels the model's work on every segment."""
        # A long request queues a few segments at a time, so that a short one is not behind all.
        share = asyncio.Semaphore(self._parallel)
        topk = max(1, best_tokens)

        async def one(pcm: Pcm16, span: Span) -> Recognition:
            async with share, self._slots:
                part = pcm[span.start : span.end]
                return await self._asr.recognize(model, part, language, topk=topk)

        found = iter(
            await all_or_none(
                one(pcm, span)
                for pcm, spans in zip(audios, segments, strict=True)
                for span in spans
            )
        )
        return [
            merge(spans, [next(found) for _ in spans], len(pcm), best_tokens=best_tokens)
            for pcm, spans in zip(audios, segments, strict=True)
        ]


async def all_or_none(work: Iterable[Awaitable[Result]]) -> list[Result]:
    """Every result, in order; the first failure, or a cancellation, ends what still runs."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
