"""The steps of calls: each is one request to one service, in the sender's name.

The permission is asked for the call, once. A step gets the scope that it needs, and no other: so a
key for calls needs no scope of each service behind them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson

from gateway.exceptions import RouteClosed
from gateway.inner_routes import (
    ANALYSIS_ERASED,
    CALL_ERASED,
    CALL_REPLAY,
    CALL_STORED,
)
from gateway.models.calls import ReplayOrder, SpeakingStyle
from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.routes import public_route
from gateway.services.composing import Composer, Run
from gateway.upstream.step_answer import StepAnswer
from gateway.upstream.step_client import JSON, StepBody
from shared.problem import Unavailable

CONVERSATION = public_route("POST", "/api/v1/nlp/conversation/inference")
REPLAY = public_route("POST", "/api/v1/nlp/conversation/{id}/replay")
SPEAK = public_route("POST", "/api/v1/speak")
_NOT_FOUND = 404
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_WAV = "audio/wav"


class CallSteps:
    """What calls ask of the services.

    Args:
        composer: Knows which of their routes are closed.
        analysis_timeout_s: Longest wait for what a call can do without.
    """

    def __init__(self, composer: Composer, *, analysis_timeout_s: float) -> None:
        self._composer = composer
        self._analysis_timeout_s = analysis_timeout_s

    async def recognize(
        self, run: Run, route: Route, body: StepBody, content_type: str
    ) -> StepAnswer:
        """The transcript of an upload, which is passed on as it comes.

        Raises:
            SpeechgateError: The service refuses it, or does not answer.
        """
        answer = await _call(run, route, body, content_type=content_type)
        return answer.checked()

    async def analyze(
        self,
        run: Run,
        segments: Sequence[Mapping[str, Any]],
        roles: Mapping[str, str],
        language: str,
        *,
        store: bool,
    ) -> Mapping[str, Any]:
        """Sentiment, metrics and coachable moments of a conversation.

        Raises:
            SpeechgateError: The service refuses it, or does not answer in time.
        """
        document: dict[str, Any] = {
            "segments": [
                {name: one[name] for name in ("speaker", "start", "end", "text")}
                for one in segments
            ],
            "language": language,
            "controlConfig": {"dataTracking": store},
        }
        speaking = {one["speaker"] for one in segments}
        known = {speaker: role for speaker, role in roles.items() if speaker in speaking}
        if known:
            document["roles"] = known
        return await self._read(run, CONVERSATION, orjson.dumps(document))

    async def transcript(self, run: Run, asr_id: str, *, words: bool) -> Mapping[str, Any]:
        """A stored transcript.

        Raises:
            SpeechgateError: There is none any more, or the service does not answer in time.
        """
        query = "?words=true" if words else ""
        return await self._read(run, CALL_STORED, None, path=_path(CALL_STORED, asr_id) + query)

    async def analysis(
        self, run: Run, analysis_id: str, rules_version: str | None
    ) -> Mapping[str, Any]:
        """A stored conversation, analyzed again: the same rules find the same moments.

        Raises:
            SpeechgateError: There is none any more, or the service does not answer in time.
        """
        body = orjson.dumps({"rules": {"version": rules_version}})
        return await self._read(run, REPLAY, body, path=_path(REPLAY, analysis_id))

    async def speak(self, run: Run, text: str, style: SpeakingStyle) -> StepAnswer:
        """A text as a file of audio.

        Raises:
            SpeechgateError: The service refuses it, or does not answer.
        """
        self._check_open(SPEAK)
        wanted = {
            "text": text,
            "language": style.language,
            "gender": style.gender,
            "voice": style.voice,
            "speed": style.speed,
            "format": style.audio_format,
            "sampling_rate": style.sampling_rate,
        }
        body = orjson.dumps({name: value for name, value in wanted.items() if value is not None})
        return (await _call(run, SPEAK, body)).checked()

    async def with_clip(
        self,
        run: Run,
        recording_id: str,
        span: tuple[float, float],
        spoken: bytes,
        order: ReplayOrder,
    ) -> StepAnswer:
        """What is spoken, a pause and a clip of the recording, as one file.

        Raises:
            SpeechgateError: The recording is gone, or the service does not answer.
        """
        query: dict[str, Any] = {
            "start": span[0],
            "end": span[1],
            "pause": order.pause_s,
            "audio_format": order.style.audio_format,
        }
        if order.style.sampling_rate is not None:
            query["sampling_rate"] = order.style.sampling_rate
        path = f"{_path(CALL_REPLAY, recording_id)}?{urlencode(query)}"
        answer = await _call(run, CALL_REPLAY, spoken, path=path, content_type=_WAV)
        return answer.checked()

    async def erase(self, run: Run, asr_id: str, analysis_id: str | None) -> None:
        """Delete what the services have of a call; what is gone already is no failure.

        Raises:
            SpeechgateError: A service does not answer; what was deleted stays deleted.
        """
        wanted = [(CALL_ERASED, asr_id)]
        if analysis_id is not None:
            wanted.append((ANALYSIS_ERASED, analysis_id))
        for route, object_id in wanted:
            answer = await _call(run, route, None, path=_path(route, object_id))
            if answer.status != _NOT_FOUND:
                answer.checked()

    async def _read(
        self, run: Run, route: Route, body: bytes | None, *, path: str | None = None
    ) -> Mapping[str, Any]:
        """A JSON object; waited for no longer than one can do without it."""
        self._check_open(route)
        soon = asyncio.get_running_loop().time() + self._analysis_timeout_s
        answer = await _call(run, route, body, path=path, deadline=min(run.deadline, soon))
        found = answer.json()
        if not isinstance(found, dict):
            raise Unavailable("The service's answer cannot be read.", code="upstream_broken")
        return found

    def _check_open(self, route: Route) -> None:
        if self._composer.closed(route):
            raise RouteClosed


async def _call(
    run: Run,
    route: Route,
    body: StepBody,
    *,
    path: str | None = None,
    content_type: str = JSON,
    deadline: float | None = None,
) -> StepAnswer:
    return await run.client.call(
        route.service,
        route.method,
        path or route.template,
        body,
        _lent(run.principal, route.scope),
        run.deadline if deadline is None else deadline,
        run.trace,
        content_type=content_type,
        priority=route.priority,
        session_id=run.session_id,
        max_bytes=_MAX_ANSWER_BYTES,
    )


def _lent(principal: Principal, scope: str) -> Principal:
    """The sender, with the one scope that a step needs."""
    return replace(principal, identity=replace(principal.identity, scopes=frozenset({scope})))


def _path(route: Route, object_id: str) -> str:
    return route.template.replace("{id}", object_id)
