"""Opens streams: admission, the choice of the model, storage, and the end of the process."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from services.asr.inference.asr_stream_model import AsrStreamModel
from services.asr.models.request import AsrRequest
from services.asr.models.transcript import Transcript
from services.asr.services.asr_service import AsrService
from services.asr.services.processors import check_processors, post_process
from services.asr.services.work import Work
from services.asr.streaming.monitor import StreamMonitor
from services.asr.streaming.options import StreamOptions
from services.asr.streaming.outbox import Outbox
from services.asr.streaming.parts import Bounds, Parts
from services.asr.streaming.precedence import Precedence
from services.asr.streaming.session import StreamSession
from services.asr.streaming.settling import Settling
from services.asr.streaming.ticker import VadTicker
from shared.caller import Caller
from shared.db.base import new_id
from shared.logging import get_logger
from shared.problem import SpeechgateError
from shared.serving import split_reference
from shared.streams import StreamPlaces

_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What streams may take.

    Attributes:
        bounds: Of each.
        streams: Open at once in this process.
        tenant_streams: Open at once of a tenant in this process.
        idle_s: Longest time without audio.
        start_s: Longest time until `start`.
        slow_s: Longest time that a client takes for one event.
        drain_s: Longest time for the last finals when the process ends.
    """

    bounds: Bounds
    streams: int
    tenant_streams: int
    idle_s: float
    start_s: float
    slow_s: float
    drain_s: float


@dataclass(slots=True)
class StreamService:
    """Live recognition.

    Attributes:
        core: Recognizes files; streams share its models, its rules and its storage.
        ticker: Scores windows.
        partials: Recognizes while people speak.
        partial_models: Which model makes partials, by the name of the one that makes finals.
        monitor: Where streams are counted.
        limits: What they may take.
    """

    core: AsrService
    ticker: VadTicker
    partials: AsrStreamModel
    partial_models: Mapping[str, str]
    monitor: StreamMonitor
    limits: StreamLimits
    _sessions: set[StreamSession] = field(default_factory=set)
    _storing: set["asyncio.Task[None]"] = field(default_factory=set)
    _draining: bool = False
    _places: StreamPlaces = field(init=False)
    _precedence: Precedence = field(init=False)

    def __post_init__(self) -> None:
        """Files make room for streams in this process."""
        self._places = StreamPlaces(self.limits.streams, self.limits.tenant_streams)
        self._precedence = Precedence(self.core.recognizer.spared)

    async def open(self, options: StreamOptions, caller: Caller) -> StreamSession:
        """A stream that has begun.

        Raises:
            StreamRefused: `too_many_streams` or `shutting_down`.
            SpeechgateError: The options name something that is not served, or Triton is down.
        """
        self._places.take(caller.tenant_id)
        try:
            session = await self._make(options, caller)
        except BaseException:
            self._places.release(caller.tenant_id)
            raise
        self._sessions.add(session)
        self.monitor.opened(session.work.model)
        session.start()
        if self._draining:
            session.drain()
        return session

    async def drain(self) -> None:
        """Refuse new streams; let the open ones tell what they know, and end."""
        self._stop()
        sessions = list(self._sessions)
        for session in sessions:
            session.drain()
        if sessions:
            ends = [asyncio.create_task(session.ended()) for session in sessions]
            _, late = await asyncio.wait(ends, timeout=self.limits.drain_s)
            for end in late:
                end.cancel()

    async def close(self) -> None:
        """End what is left, and wait for the rows."""
        self._stop()
        await asyncio.gather(*(one.close() for one in list(self._sessions)))
        await asyncio.gather(*self._storing, return_exceptions=True)
        await self.ticker.close()

    def _stop(self) -> None:
        self._draining = True
        self._places.close()

    async def _make(self, options: StreamOptions, caller: Caller) -> StreamSession:
        core = self.core
        model, used = await core.router.select(options.service_id, options.language, caller)
        check_processors(
            options.pre_processors, options.post_processors, core.post_processors, options.language
        )
        language = await core.router.language(model, options.language)
        work = Work(new_id(), caller, model, used, language)
        outbox = Outbox()

        async def processed(transcript: Transcript) -> Transcript:
            names = options.post_processors
            return await post_process(transcript, names, language, core.post_processors)

        settling = Settling(
            asr=core.router.asr,
            model=model,
            language=language,
            post_process=processed,
            monitor=self.monitor,
            emit=outbox.put,
            precedence=self._precedence,
            position=options.resume_from,
            kept=[] if options.store_content else None,
        )
        partial_model = self.partial_models.get(split_reference(model)[0])
        wanted = options.interim and partial_model is not None
        session: StreamSession
        parts = Parts(
            ticker=self.ticker,
            precedence=self._precedence,
            partials=self.partials if wanted else None,
            partial_model=partial_model or "",
            stored=self._store,
            ended=lambda seconds, status: self._ended(session, seconds, status),
        )
        session = StreamSession(options, work, self.limits.bounds, parts, settling, outbox)
        return session

    def _ended(self, session: StreamSession, seconds: float, status: str) -> None:
        work = session.work
        self._sessions.discard(session)
        self._places.release(work.caller.tenant_id)
        self.monitor.ended(work.model, status, seconds)
        _logger.info(
            "stream",
            request_id=work.caller.request_id,
            trace_id=work.caller.trace_id,
            tenant=work.caller.tenant_id,
            subject=work.caller.subject,
            model=work.model,
            status=status,
            audio_s=round(seconds, 2),
            settled_s=work.audio_seconds,
            finals=work.segments,
            duration_ms=work.elapsed_ms(),
        )

    def _store(self, row: AsrRequest, transcript: Transcript | None) -> "asyncio.Future[None]":
        kept = [transcript] if transcript is not None and transcript.utterances else []
        task = asyncio.create_task(self.core.requests.add(row, kept))
        self._storing.add(task)
        task.add_done_callback(partial(_stored, self._storing))
        return task


def _stored(storing: set["asyncio.Task[None]"], task: "asyncio.Task[None]") -> None:
    storing.discard(task)
    if not task.cancelled() and isinstance(error := task.exception(), SpeechgateError):
        _logger.warning("a stream was not stored", code=error.code)
