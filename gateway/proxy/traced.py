"""Proxied requests that are spans: of the request, of its limits, and of the service's answer.

Kinds of exchanges of their own, so that a gateway without traces does nothing for them. They are
chosen once, when the process starts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from gateway.models.flags import ModelChoice
from gateway.models.limits import Decision
from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.proxy.context import KnownTrace
from gateway.proxy.exchange import Exchange
from gateway.proxy.head import RequestHead
from gateway.proxy.interpreting import InterpretingExchange
from gateway.proxy.parts import ProxyContext
from gateway.proxy.stream import StreamEnd, StreamExchange
from gateway.server.connection import HttpConnection
from gateway.server.request import Request
from gateway.upstream.leased import LeasedResponse
from gateway.upstream.protocol import UpstreamRequest
from gateway.upstream.tunnel import Tunnel
from shared.asgi.spans import method_of
from shared.problem import SpeechgateError
from shared.telemetry.span import (
    METHOD,
    MODEL,
    ROUTE,
    STATUS,
    TENANT,
    VARIANT,
    Kind,
    Span,
    Tracer,
    current_span,
)

_CLIENT_LEFT, _FAULT, _SWITCHING = 499, 500, 101
_UPSTREAM, _REPLICA = "speechgate.upstream", "speechgate.replica"
_TRACEPARENT, _REQUEST_ID = b"traceparent", b"x-request-id"


class TracedExchange(Exchange):
    """A request whose span ends when its record is written."""

    def __init__(self, context: ProxyContext, request: Request, template: str) -> None:
        super().__init__(context, request, template)
        self._span = _begin(_tracer_of(context), request, template)
        self._asked: Span | None = None
        self._trace = KnownTrace(self._span.context)

    async def run(self, routes: Mapping[str, Route]) -> None:
        """See `Exchange`."""
        current_span.set(self._span)
        await super().run(routes)

    def _continue(self, noted: dict[bytes, bytes]) -> None:
        """The span continues the client's trace already."""

    def _decide(self, principal: Principal, route: Route) -> "Decision | asyncio.Future[Decision]":
        span = self._span.child("rate limit")
        try:
            decided = super()._decide(principal, route)
        except SpeechgateError as error:
            span.end(error.code)
            raise
        if isinstance(decided, Decision):
            _end_limit(span, decided)
        else:
            decided.add_done_callback(lambda told: _end_limit(span, _result_of(told)))
        return decided

    def _shorten(self, principal: Principal, route: Route, head: RequestHead) -> None:
        """A short cut makes no spans."""

    def _to_service(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> UpstreamRequest:
        request = super()._to_service(principal, route, head, choice)
        asked = self._span.child(
            f"{route.service} {route.template}", Kind.CLIENT, {_UPSTREAM: str(route.service)}
        )
        if not asked.recording:
            return request
        self._asked = asked
        if choice.model is not None:
            asked.put(MODEL, choice.reference)
        headers = [one for one in request.headers if one[0] != _TRACEPARENT]
        headers.append((_TRACEPARENT, asked.context.traceparent.encode()))
        return request._replace(headers=headers)

    async def _relay(self, response: LeasedResponse) -> None:
        asked = self._asked
        if asked is None:
            await super()._relay(response)
            return
        asked.put(STATUS, response.status)
        asked.put(_REPLICA, response.replica)
        try:
            await super()._relay(response)
        except SpeechgateError as error:
            asked.end(error.code)
            raise
        finally:
            asked.end(str(response.status) if response.status >= _FAULT else self._code)

    def _note(self) -> None:
        super()._note()
        span, request = self._span, self._request
        if not span.recording:
            return
        status = self._status or request.status or _CLIENT_LEFT
        error = self._code or (str(status) if status >= _FAULT else None)
        if self._asked is not None:  # No answer came, or it was a stream.
            self._asked.put(_REPLICA, self._replica)
            self._asked.end("client_left" if status == _CLIENT_LEFT else error)
        principal = self._principal
        span.put(METHOD, method_of(request.method))
        span.put(ROUTE, self._route)
        span.put(STATUS, status)
        span.put(VARIANT, self._variant)
        span.put(_UPSTREAM, self._upstream)
        span.put(TENANT, principal.identity.tenant_id if principal is not None else None)
        span.put("speechgate.code", self._code)
        span.put("http.request.body.size", request.body.received)
        span.put("http.response.body.size", request.sent)
        # What the client did wrong is no failure of ours.
        span.end(error if status >= _FAULT or status == _SWITCHING else None)


class TracedStream(TracedExchange, StreamExchange):
    """A stream: one span, from the upgrade to its end."""

    def _end_of(
        self,
        connection: HttpConnection,
        tunnel: Tunnel,
        check: Callable[[], Awaitable[None]],
        principal: Principal,
    ) -> StreamEnd:
        self._span.event("opened", {_REPLICA: tunnel.replica})
        return super()._end_of(connection, tunnel, check, principal)

    def _note(self) -> None:
        if self._status == _SWITCHING:
            self._span.event("closed", {"reason": self._code or "by a side"})
        super()._note()


class TracedInterpreting(TracedStream, InterpretingExchange):
    """A stream whose steps are spans of their own."""


class Kinds(NamedTuple):
    """What serves requests, streams, and streams that the gateway reads."""

    request: type[Exchange] = Exchange
    stream: type[StreamExchange] = StreamExchange
    interpreting: type[InterpretingExchange] = InterpretingExchange


def kinds_of(context: ProxyContext) -> Kinds:
    """Those that make spans, where there is a tracer."""
    if context.tracer is None:
        return Kinds()
    return Kinds(TracedExchange, TracedStream, TracedInterpreting)


def _tracer_of(context: ProxyContext) -> Tracer:
    if context.tracer is None:
        raise TypeError("There is no tracer.")
    return context.tracer


def _begin(tracer: Tracer, request: Request, template: str) -> Span:
    given: dict[bytes, str] = {}
    for field, value in request.headers:
        if field in (_TRACEPARENT, _REQUEST_ID):
            given.setdefault(field, value.decode("latin-1"))
    name = f"{method_of(request.method)} {template}"
    return tracer.serve(name, given.get(_REQUEST_ID), given.get(_TRACEPARENT))


def _result_of(told: "asyncio.Future[Decision]") -> Decision | None:
    return None if told.cancelled() or told.exception() is not None else told.result()


def _end_limit(span: Span, decision: Decision | None) -> None:
    if decision is None:
        span.end("unavailable")
        return
    span.put("speechgate.allowed", decision.allowed)
    span.end()
