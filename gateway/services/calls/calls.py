"""Stored calls: read, listed, replayed and deleted."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from gateway.exceptions import CallNotAnalyzed, CallNotFound, NoSuchMoment
from gateway.models.accounts import Page
from gateway.models.calls import Call, CallDocument, Degradation, Replay, ReplayOrder
from gateway.repositories.store import Database
from gateway.services.calls.analysis import ANALYSIS, MOMENTS
from gateway.services.calls.documents import clip_span, moments_in, with_roles, with_sentiment
from gateway.services.calls.monitor import CallMonitor
from gateway.services.calls.steps import CallSteps
from gateway.services.composing import Run
from shared.problem import SpeechgateError

TRANSCRIPT, RECORDING, CLIP = "transcript", "recording", "clip"
_NOT_STORED, _NOT_KEPT = "not_stored", "not_kept"
_GONE = frozenset({"recording_not_found", "empty_span"})
_SERVER_FAULT = 500
_WAV = "wav"
_MEDIA_TYPE = "content-type"


class CallService:
    """Works with stored calls.

    Args:
        steps: What is asked of the services.
        database: Where the references are.
        monitor: Where replays, and what is missing, are counted.
    """

    def __init__(self, steps: CallSteps, database: Database, monitor: CallMonitor) -> None:
        self._steps = steps
        self._database = database
        self._monitor = monitor

    async def list(self, tenant_id: str, limit: int, cursor: str | None) -> Page[Call]:
        """A page of a tenant's calls, newest first.

        Raises:
            DatabaseUnreachable: The database does not answer.
        """
        async with self._database.transaction(read_only=True) as store:
            return await store.calls.list(tenant_id, limit, cursor)

    async def get(self, run: Run, call_id: str, *, words: bool) -> CallDocument:
        """A call with what the services still have of it.

        Raises:
            CallNotFound: There is none, or it is another tenant's.
            DatabaseUnreachable: The database does not answer.
        """
        call = await self._find(run, call_id)
        if not call.tracked:
            lost = tuple(Degradation(step, _NOT_STORED) for step in (TRANSCRIPT, ANALYSIS))
            return CallDocument(call, degraded=(*call.degraded, *lost))
        (heard, unheard), (judged, unjudged) = await asyncio.gather(
            _attempt(TRANSCRIPT, self._steps.transcript(run, call.asr_id, words=words)),
            self._judged(run, call),
        )
        self._monitor.missing((*unheard, *unjudged))
        transcript = None if heard is None else heard["transcript"]
        # Without speakers there were no moments to begin with.
        apart = all(one.step != MOMENTS for one in call.degraded)
        return CallDocument(
            call,
            None
            if transcript is None
            else with_sentiment(with_roles(transcript, call.roles, judged), judged),
            None if heard is None else heard["recording"],
            None if judged is None else judged["sentiment"],
            judged["metrics"] if judged is not None and apart else None,
            _moments(call, judged, transcript) if apart else None,
            (*call.degraded, *unheard, *unjudged),
        )

    async def delete(self, run: Run, call_id: str) -> None:
        """Delete a call with transcript, analysis and recording, for good.

        The call itself goes last: a deletion that broke off can be asked for again.

        Raises:
            CallNotFound: There is none, or it is another tenant's.
            SpeechgateError: A service or the database does not answer.
        """
        call = await self._find(run, call_id)
        await self._steps.erase(run, call.asr_id, call.analysis_id)
        async with self._database.transaction() as store:
            await store.calls.delete(call.tenant_id, call.id)

    async def replay(self, run: Run, call_id: str, order: ReplayOrder) -> Replay:
        """A coachable moment as audio: the advice and, on request, the clip.

        Raises:
            CallNotFound: There is no such call, or it is another tenant's.
            CallNotAnalyzed: Its analysis is missing.
            NoSuchMoment: It has no moment of this number.
            SpeechgateError: The moment, or its speech, cannot be had now.
        """
        call = await self._find(run, call_id)
        moment = await self._moment(run, call, order.moment)
        degraded: tuple[Degradation, ...] = ()
        if order.include_clip:
            made, degraded = await self._with_clip(run, call, moment, order)
            if made is not None:
                return made
        spoken = await self._steps.speak(run, moment["advice"], order.style)
        self._monitor.replayed(with_clip=False)
        self._monitor.missing(degraded)
        media_type = spoken.headers.get(_MEDIA_TYPE, "application/octet-stream")
        return Replay(spoken.body, media_type, moment, with_clip=False, degraded=degraded)

    async def _with_clip(
        self, run: Run, call: Call, moment: Mapping[str, Any], order: ReplayOrder
    ) -> tuple[Replay | None, tuple[Degradation, ...]]:
        """Advice and clip in one file, or why there is none."""
        if call.recording_id is None:
            return None, (Degradation(CLIP, _unkept(call)),)
        # Both are joined as samples: the format that is wanted comes last.
        plain = replace(order.style, audio_format=_WAV, sampling_rate=None)
        spoken = await self._steps.speak(run, moment["advice"], plain)
        span = clip_span(moment, order.clip_s)
        try:
            answer = await self._steps.with_clip(run, call.recording_id, span, spoken.body, order)
        except SpeechgateError as error:
            if error.status < _SERVER_FAULT and error.code not in _GONE:
                raise  # The sender's own wish for the audio.
            return None, (Degradation(CLIP, error.code),)
        self._monitor.replayed(with_clip=True)
        media_type = answer.headers.get(_MEDIA_TYPE, "application/octet-stream")
        return Replay(answer.body, media_type, moment, with_clip=True), ()

    async def _moment(self, run: Run, call: Call, number: int) -> Mapping[str, Any]:
        if not call.tracked or _unanalyzed(call):
            raise CallNotAnalyzed
        judged = None
        if call.analysis_id is not None:
            judged = await self._analysis(run, call, call.analysis_id)
        moments = _moments(call, judged) or []
        if number >= len(moments):
            raise NoSuchMoment(len(moments))
        return moments[number]

    async def _judged(
        self, run: Run, call: Call
    ) -> tuple[Mapping[str, Any] | None, tuple[Degradation, ...]]:
        if call.analysis_id is None:
            return None, ()
        return await _attempt(ANALYSIS, self._analysis(run, call, call.analysis_id))

    async def _analysis(self, run: Run, call: Call, analysis_id: str) -> Mapping[str, Any]:
        return await self._steps.analysis(run, analysis_id, call.rules_version)

    async def _find(self, run: Run, call_id: str) -> Call:
        async with self._database.transaction(read_only=True) as store:
            call = await store.calls.find(run.principal.identity.tenant_id, call_id)
        if call is None:
            raise CallNotFound
        return call


async def _attempt(
    step: str, work: Awaitable[Mapping[str, Any]]
) -> tuple[Mapping[str, Any] | None, tuple[Degradation, ...]]:
    """What a step gives, or why it gives nothing."""
    try:
        return await work, ()
    except SpeechgateError as error:
        return None, (Degradation(step, error.code),)


def _unanalyzed(call: Call) -> bool:
    """Whether moments were never looked for."""
    return any(one.step in (ANALYSIS, MOMENTS) for one in call.degraded)


def _moments(
    call: Call, judged: Mapping[str, Any] | None, transcript: Mapping[str, Any] | None = None
) -> list[Mapping[str, Any]] | None:
    """The moments; none for a call in which nobody spoke, which was not analyzed."""
    if judged is not None:
        return list(judged["moments"]) if transcript is None else moments_in(transcript, judged)
    return None if call.analysis_id is not None or _unanalyzed(call) else []


def _unkept(call: Call) -> str:
    """Why there is no recording."""
    return next((one.reason for one in call.degraded if one.step == RECORDING), _NOT_KEPT)
