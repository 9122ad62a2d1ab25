"""From an upload to an analyzed call: three steps, of which only the first one is critical."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from gateway.exceptions import CallNotFound, DatabaseUnreachable
from gateway.models.calls import Call, CallDocument, Degradation
from gateway.models.routes import Route
from gateway.repositories.store import Database
from gateway.services.calls.documents import (
    degradations,
    moments_in,
    roles_of,
    said,
    told_apart,
    with_roles,
    with_sentiment,
)
from gateway.services.calls.monitor import CallMonitor
from gateway.services.calls.steps import CallSteps
from gateway.services.composing import Run
from gateway.upstream.step_client import StepBody
from shared.db.base import utc_now
from shared.logging import get_logger
from shared.problem import SpeechgateError

_logger = get_logger(__name__)
ANALYSIS, MOMENTS, STORAGE = "analysis", "moments", "storage"
UNFINISHED = Degradation(ANALYSIS, "unfinished")
"""What a stored call says until its analysis is there, or for ever if its sender left before."""
DELETED = Degradation(STORAGE, CallNotFound.default_code)
_SUBJECT_LENGTH = 64


class Findings(NamedTuple):
    """What the analysis of a conversation gave, and what it did not."""

    document: Mapping[str, Any] | None
    moments: list[Mapping[str, Any]] | None
    degraded: tuple[Degradation, ...] = ()

    @property
    def metrics(self) -> Mapping[str, Any] | None:
        """Of the conversation; they say nothing where speakers are not told apart."""
        return None if self.moments is None or self.document is None else self.document["metrics"]


class CallAnalysis:
    """Analyzes calls.

    Args:
        steps: What is asked of the services.
        database: Where the references are kept.
        monitor: Where calls are counted.
    """

    def __init__(self, steps: CallSteps, database: Database, monitor: CallMonitor) -> None:
        self._steps = steps
        self._database = database
        self._monitor = monitor

    async def run(
        self, call_id: str, run: Run, route: Route, body: StepBody, content_type: str
    ) -> CallDocument:
        """Recognize and analyze an upload.

        The call is stored as soon as there is a transcript, and again when it is analyzed.

        Raises:
            SpeechgateError: There is no transcript.
        """
        clock = _Clock()
        answer = await self._steps.recognize(run, route, body, content_type)
        heard: Mapping[str, Any] = answer.json()
        clock.lap("transcribe")
        transcript, tracked = heard["transcript"], heard["data_tracking"]
        details = {name: value for name, value in heard["metadata"].items() if value is not None}
        roles, recording = roles_of(details, transcript), heard["recording"]
        lacking = degradations(heard["degraded"])
        identity = run.principal.identity
        call = Call(
            id=call_id,
            tenant_id=identity.tenant_id,
            subject=identity.subject[:_SUBJECT_LENGTH],
            request_id=run.trace.request_id,
            trace_id=run.trace.trace_id,
            created_at=utc_now(),
            language=heard["language"],
            duration_s=transcript["duration"],
            asr_id=heard["id"],
            recording_id=None if recording is None else heard["id"],
            # Who wants nothing stored wants no names stored either.
            details=details if tracked else {},
            roles=roles,
            degraded=(*lacking, UNFINISHED),
            tracked=tracked,
        )
        unstored = await self._store(call, new=True)
        found = await self._analyze(run, transcript, roles, call.language, store=tracked)
        clock.lap("analyze")
        document = found.document or {}
        call = replace(
            call,
            analysis_id=document.get("id") if tracked else None,
            rules_version=(document.get("rules") or {}).get("version"),
            degraded=(*lacking, *found.degraded),
            timings=clock.told(),
        )
        if unstored is None:
            unstored = await self._store(call, new=False)
            if unstored == DELETED:
                await self._forget(run, call)
        degraded = call.degraded if unstored is None else (*call.degraded, unstored)
        self._monitor.analyzed(replace(call, degraded=degraded).status, call.duration_s)
        self._monitor.missing(degraded)
        return CallDocument(
            replace(call, details=details, timings=clock.told()),
            with_sentiment(with_roles(transcript, roles, found.document), found.document),
            recording,
            document.get("sentiment"),
            found.metrics,
            found.moments,
            degraded,
            answer.variant,
        )

    async def _analyze(
        self,
        run: Run,
        transcript: Mapping[str, Any],
        roles: Mapping[str, str],
        language: str,
        *,
        store: bool,
    ) -> Findings:
        """Sentiment and moments, or why there are none."""
        segments = said(transcript)
        if not segments:
            return Findings(None, [])  # Nobody said anything: nothing is missing.
        try:
            document = await self._steps.analyze(run, segments, roles, language, store=store)
        except SpeechgateError as error:
            return Findings(None, None, (Degradation(ANALYSIS, error.code),))
        lacking = degradations(document["degraded"])
        if not told_apart(transcript):
            # Who talks how much and when cannot be said: better no moment than a made-up one.
            return Findings(document, None, (*lacking, Degradation(MOMENTS, "no_speakers")))
        return Findings(document, moments_in(transcript, document), lacking)

    async def _store(self, call: Call, *, new: bool) -> Degradation | None:
        """Write the call; the transcript is answered even where that cannot be done."""
        try:
            async with self._database.transaction() as store:
                await (store.calls.add if new else store.calls.update)(call)
        except (CallNotFound, DatabaseUnreachable) as error:
            return Degradation(STORAGE, error.code)
        except Exception as error:
            _logger.error("a call was not stored", exc_info=error)
            return Degradation(STORAGE, SpeechgateError.default_code)
        return None

    async def _forget(self, run: Run, call: Call) -> None:
        """Who deleted the call while it was analyzed deleted its analysis, too."""
        try:
            await self._steps.erase(run, call.asr_id, call.analysis_id)
        except SpeechgateError as error:
            _logger.error("a deleted call's analysis stays", code=error.code)


class _Clock:
    """Milliseconds of each step, and of all together."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """A step has ended."""
        now = time.perf_counter()
        self._laps[f"{name}_ms"] = _milliseconds(now - self._last)
        self._last = now

    def told(self) -> dict[str, float]:
        """All laps, and the whole."""
        return {**self._laps, "total_ms": _milliseconds(time.perf_counter() - self._started)}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
