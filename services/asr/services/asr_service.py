"""The service's one use case: audio in, stored transcripts out."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.asr.exceptions import (
    request_not_found,
    saturated,
    unsupported_language,
)
from services.asr.inference.asr_model import AsrModel
from services.asr.models.audio import SAMPLE_RATE, AsrOptions, AudioSource
from services.asr.models.request import AsrRequest, Status, StoredTranscripts
from services.asr.models.transcript import Transcript
from services.asr.repositories.asr_requests import AsrRequestRepository
from services.asr.services.intake import Intake
from services.asr.services.monitor import AsrMonitor
from services.asr.services.processors import PostProcessor, check_processors, post_process
from services.asr.services.recognition import Recognizer
from shared.caller import Caller
from shared.db.base import new_id, utc_now
from shared.failures import CLIENT_DISCONNECTED
from shared.logging import get_logger
from shared.problem import SpeechgateError
from shared.serving import ModelSelector

_logger = get_logger(__name__)
_FAILURE_ROW_WAIT_S = 0.3
_UNWIND_S = 2.0
_SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A recognized request; `timings` are in milliseconds by stage; `used` as in `Served`."""

    id: str
    model: str
    language: str
    transcripts: tuple[Transcript, ...]
    audio_seconds: float
    timings: Mapping[str, float]
    used: str


@dataclass(slots=True)
class _Work:
    """What is known about a request while it runs."""

    id: str
    caller: Caller
    model: str
    used: str
    language: str
    audio_seconds: float = 0.0
    segments: int = 0
    reached_engine: bool = False
    arrived: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long a stage took."""
        started = time.perf_counter()
        yield
        self.timings[f"{stage}_ms"] = round((time.perf_counter() - started) * 1000, 2)

    def elapsed_ms(self) -> float:
        """Since the request arrived."""
        return round((time.perf_counter() - self.arrived) * 1000, 2)

    def row(self, status: Status, code: str | None = None) -> AsrRequest:
        """The request as it is stored."""
        return AsrRequest(
            id=self.id,
            caller=self.caller,
            created_at=utc_now(),
            model=self.model,
            language=self.language,
            status=status,
            error_code=code,
            audio_seconds=self.audio_seconds,
            segments=self.segments,
            latency_ms=self.elapsed_ms(),
        )


@dataclass(slots=True)
class AsrService:
    """Recognizes and stores.

    Attributes:
        intake: Reads what clients send.
        recognizer: Recognizes PCM.
        asr: The recognition model, for what it serves.
        requests: Where requests are stored.
        monitor: Where they are counted.
        models: Triton model by the serviceId of requests.
        selector: Chooses the model of a request.
        max_requests: Requests in work; more are refused.
        post_processors: What may run after recognition.
    """

    intake: Intake
    recognizer: Recognizer
    asr: AsrModel
    requests: AsrRequestRepository
    monitor: AsrMonitor
    models: Mapping[str, str]
    selector: ModelSelector
    max_requests: int
    post_processors: Mapping[str, PostProcessor] = field(default_factory=dict)
    _running: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    async def transcribe(
        self, sources: list[AudioSource], options: AsrOptions, caller: Caller
    ) -> Answer:
        """Recognize audio; the transcripts are durable when this returns. Empties `sources`.

        Raises:
            InvalidField: The options name something that is not served.
            SpeechgateError: The audio is refused, or a dependency is down.
        """
        model, used = await self.selector.select(options.service_id, caller)
        check_processors(options.pre_processors, options.post_processors, self.post_processors)
        if self._running >= self.max_requests:
            raise saturated()
        work = _Work(new_id(), caller, model, used, options.language)
        self._running += 1
        self._idle.clear()
        try:
            return await self._run(work, sources, options)
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
        """What each serviceId serves.

        Raises:
            Unavailable: Triton does not answer.
        """
        return {name: await self.asr.languages(model) for name, model in self.models.items()}

    async def close(self) -> None:
        """Wait for requests that were just cancelled, and for rows that are on their way."""
        if self._running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_UNWIND_S):
                    await self._idle.wait()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _run(self, work: _Work, sources: list[AudioSource], options: AsrOptions) -> Answer:
        work.language = await self._language(work.model, options.language)
        with work.timed("decode"):
            audios = await self.intake.read(sources, options)
        work.audio_seconds = round(sum(map(len, audios)) / SAMPLE_RATE, 3)
        work.reached_engine = True
        with work.timed("vad"):
            segments = await self.recognizer.segment(audios, detect=options.detect_speech)
        work.segments = sum(map(len, segments))
        with work.timed("inference"):
            transcripts = await self.recognizer.recognize(
                audios, segments, work.model, work.language, best_tokens=options.best_tokens
            )
        transcripts = [
            await post_process(one, options.post_processors, work.language, self.post_processors)
            for one in transcripts
        ]
        row = work.row(Status.SUCCEEDED)
        with work.timed("store"):
            await self.requests.add(row, transcripts if options.store_content else ())
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
        )

    async def _language(self, model: str, tag: str) -> str:
        """The served language of a tag; `en-IN` is served by `en` (RFC 4647, lookup)."""
        served = await self.asr.languages(model)
        wanted = tag.replace("_", "-").lower()
        for candidate in (wanted, wanted.partition("-")[0]):
            if candidate in served:
                return candidate
        raise unsupported_language(served)

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
