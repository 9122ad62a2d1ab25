"""The service's one use case: audio in, stored transcripts out."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.asr.exceptions import (
    request_not_found,
    saturated,
)
from services.asr.models.audio import AsrOptions, AudioSource, ChannelMode, seconds
from services.asr.models.calls import Degradation
from services.asr.models.request import AsrRequest, Status, StoredTranscripts
from services.asr.models.speakers import DiarizationOptions
from services.asr.models.transcript import Transcript
from services.asr.repositories.asr_requests import AsrRequestRepository
from services.asr.services.diarization_service import DiarizationService
from services.asr.services.intake import Intake, Recording
from services.asr.services.merging import merge_channels
from services.asr.services.monitor import AsrMonitor
from services.asr.services.processors import PostProcessor, check_processors, post_process
from services.asr.services.quality import Judge, check_references
from services.asr.services.recognition import Recognizer
from services.asr.services.routing import ModelRouter
from services.asr.services.work import Work
from shared.audio.contract import Samples
from shared.caller import Caller
from shared.db.base import new_id
from shared.failures import CLIENT_DISCONNECTED
from shared.logging import get_logger
from shared.problem import SpeechgateError

_logger = get_logger(__name__)
_FAILURE_ROW_WAIT_S = 0.3
_UNWIND_S = 2.0
_SERVER_FAULT = 500
Afterwards = Callable[[str, Sequence[Recording]], Awaitable[None]]
"""Gets a request's id and its decoded recordings, which are gone when it returns."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A recognized request.

    Attributes:
        timings: Milliseconds by stage.
        used: As in `Served`.
        degraded: What was optional and is missing.
    """

    id: str
    model: str
    language: str
    transcripts: tuple[Transcript, ...]
    audio_seconds: float
    timings: Mapping[str, float]
    used: str
    degraded: tuple[Degradation, ...] = ()


@dataclass(slots=True)
class AsrService:
    """Recognizes and stores.

    Attributes:
        intake: Reads what clients send.
        recognizer: Recognizes PCM.
        requests: Where requests are stored.
        monitor: Where they are counted.
        router: Chooses the model of a request.
        max_requests: Requests in work; more are refused.
        post_processors: What may run after recognition.
        judge: Compares transcripts with references.
        diarization: Tells speakers apart; None where no model for it is configured.
    """

    intake: Intake
    recognizer: Recognizer
    requests: AsrRequestRepository
    monitor: AsrMonitor
    router: ModelRouter
    max_requests: int
    post_processors: Mapping[str, PostProcessor] = field(default_factory=dict)
    judge: Judge = field(default_factory=Judge)
    diarization: DiarizationService | None = None
    _running: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    async def transcribe(
        self,
        sources: list[AudioSource],
        options: AsrOptions,
        caller: Caller,
        *,
        afterwards: Afterwards | None = None,
    ) -> Answer:
        """Recognize audio; the transcripts are durable when this returns.

        Args:
            sources: Emptied on the way.
            options: What is wanted.
            caller: Who sent it.
            afterwards: Runs once the transcripts are durable; raises nothing.

        Raises:
            InvalidField: The options name something that is not served.
            SpeechgateError: The audio is refused, or a dependency is down.
        """
        model, used = await self.router.select(options.service_id, options.language, caller)
        check_processors(
            options.pre_processors, options.post_processors, self.post_processors, options.language
        )
        check_references(options.reference, len(sources))
        if self.diarization is not None:
            self.diarization.check(options)
        if self._running >= self.max_requests:
            raise saturated()
        work = Work(new_id(), caller, model, used, options.language)
        self._running += 1
        self._idle.clear()
        try:
            return await self._run(work, sources, options, afterwards)
        except SpeechgateError as error:
            # A refusal before the engine was called is the client's to keep, not ours.
            if work.reached_engine or error.status >= _SERVER_FAULT:
                await self._note_failure(work.row(Status.FAILED, error.code))
            raise
        except asyncio.CancelledError:
            self._later(self.requests.add(work.row(Status.CANCELLED, CLIENT_DISCONNECTED)))
            self.monitor.ended(model, Status.CANCELLED)
            raise
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def stored(self, tenant_id: str, request_id: str) -> StoredTranscripts:
        """A stored request of a tenant.

        Raises:
            NotFound: There is none, or it is another tenant's.
        """
        found = await self.requests.get(tenant_id, request_id)
        if found is None:
            raise request_not_found()
        return found

    async def languages(self) -> dict[str, list[str]]:
        """What each serviceId serves; without the models that are not loaded.

        Raises:
            Unavailable: Triton does not answer.
        """
        return await self.router.served()

    async def close(self) -> None:
        """Wait for requests that were just cancelled, and for rows that are on their way."""
        if self._running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_UNWIND_S):
                    await self._idle.wait()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _run(
        self,
        work: Work,
        sources: list[AudioSource],
        options: AsrOptions,
        afterwards: Afterwards | None,
    ) -> Answer:
        work.language = await self.router.language(work.model, options.language)
        if options.boost:
            await self.router.check_boost(work.model)
        async with contextlib.AsyncExitStack() as stack:
            with work.timed("decode"):
                reading = self.intake.read(sources, options)
                recordings = await stack.enter_async_context(reading)
            transcripts = await self._recognize(work, recordings, options)
            row = work.row(Status.SUCCEEDED)
            with work.timed("store"):
                await self.requests.add(row, transcripts if options.store_content else ())
            if afterwards is not None:
                with work.timed("keep"):
                    await afterwards(work.id, recordings)
        work.timings["total_ms"] = work.elapsed_ms()
        self.monitor.ended(work.model, row.status)
        self.monitor.recognized(
            work.model, work.language, work.audio_seconds, work.segments, row.latency_ms / 1000
        )
        return Answer(
            work.id,
            work.model,
            work.language,
            tuple(transcripts),
            work.audio_seconds,
            work.timings,
            work.used,
            tuple(work.degraded),
        )

    async def _recognize(
        self, work: Work, recordings: list[Recording], options: AsrOptions
    ) -> list[Transcript]:
        """A transcript of each recording."""
        audios = [track for one in recordings for track in one.tracks]
        work.audio_seconds = seconds(sum(map(len, audios)))
        work.reached_engine = True
        with work.timed("vad"):
            segments = await self.recognizer.segment(
                audios, work.model, detect=options.detect_speech
            )
        work.segments = sum(map(len, segments))
        with work.timed("inference"):
            found = await self.recognizer.recognize(
                audios,
                segments,
                work.model,
                work.language,
                best_tokens=options.best_tokens,
                boost=options.boost,
            )
        if options.diarization is not None:
            with work.timed("diarization"):
                found = await self._with_speakers(work, audios, found, options.diarization)
        rewritten = [
            await post_process(one, options.post_processors, work.language, self.post_processors)
            for one in found
        ]
        transcripts = _merged(rewritten, recordings, options.channels)
        if not options.reference:
            return transcripts
        heard = [one.text for one in _merged(found, recordings, options.channels)]
        transcripts = await self.judge.judge(transcripts, heard, options.reference)
        for one in transcripts:
            if one.quality is not None:
                self.monitor.judged(work.model, work.used, one.quality.wer)
        return transcripts

    async def _with_speakers(
        self,
        work: Work,
        audios: Sequence[Samples],
        found: list[Transcript],
        options: DiarizationOptions,
    ) -> list[Transcript]:
        if self.diarization is None:
            return found
        try:
            return await self.diarization.annotated(audios, found, options, work.caller.tenant_id)
        except SpeechgateError as error:
            if not options.optional or error.status < _SERVER_FAULT:
                raise
            work.degraded.append(Degradation("diarization", error.code))
            return found

    async def _note_failure(self, row: AsrRequest) -> None:
        """Store a failed request, but let its client wait for that only briefly."""
        self.monitor.ended(row.model, row.status)
        task = self._later(self.requests.add(row))
        await asyncio.wait([task], timeout=_FAILURE_ROW_WAIT_S)

    def _later(self, writing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def write() -> None:
            try:
                await writing
            except SpeechgateError as error:
                _logger.warning("a failed request was not stored", code=error.code)

        task = asyncio.create_task(write())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _merged(
    found: Sequence[Transcript], recordings: Sequence[Recording], channels: ChannelMode
) -> list[Transcript]:
    """One transcript of each recording, from those of its tracks."""
    if channels is not ChannelMode.SEPARATE:
        return list(found)
    left = iter(found)
    return [merge_channels([next(left) for _ in one.tracks]) for one in recordings]
