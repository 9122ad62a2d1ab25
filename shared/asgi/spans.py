"""Spans of the requests and WebSockets that an ASGI application serves."""

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.headers import Ids, ids_of
from shared.telemetry.span import (
    METHOD,
    ROUTE,
    STATUS,
    TENANT,
    Span,
    Tracer,
    current_span,
    error_code,
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "HTTP"
_FAULT = 500


def _tracer_of(scope: Scope) -> Tracer | None:
    """What the lifespan yielded; None where there are no traces."""
    tracer: Tracer | None = scope.get("state", {}).get("tracer")
    return tracer


def method_of(method: str) -> str:
    """One of few: a client may invent methods."""
    return method if method in _METHODS else _OTHER


def begin_request(scope: Scope, ids: Ids) -> Span | None:
    """The span of a request; None where there are no traces."""
    tracer = _tracer_of(scope)
    return None if tracer is None else tracer.serve(method_of(scope["method"]), *ids)


def traced_stream(app: ASGIApp, scope: Scope) -> ASGIApp:
    """What serves a WebSocket: the application, in a span where there are traces."""
    tracer = _tracer_of(scope)
    if tracer is None:
        return app
    return TracedStream(app, tracer.serve("WEBSOCKET", *ids_of(scope)))


def finish_request(span: Span | None, scope: Scope, route: str, status: int) -> None:
    """End the span of a request.

    Args:
        span: Of it; None where there is none.
        scope: With what layers within noted of it.
        route: Template.
        status: Of the answer.
    """
    if span is None or not span.recording:
        return
    method, log = method_of(scope["method"]), scope["state"].get("log", {})
    span.rename(f"{method} {route}")
    span.put(METHOD, method)
    span.put(ROUTE, route)
    span.put(STATUS, status)
    span.put(TENANT, _tenant_of(scope))
    span.end(str(log.get("code") or status) if status >= _FAULT else None)


def _tenant_of(scope: Scope) -> str | None:
    """Services know it by the identity token; the gateway's guard notes it for the log."""
    state = scope.get("state", {})
    identity = state.get("identity")
    tenant: Any = state.get("log", {}).get("tenant")
    return tenant if identity is None else str(identity.tenant_id)


class TracedStream:
    """One WebSocket as one span: when it opened and ended, and how much passed.

    Args:
        app: Serves it.
        span: Of it.
    """

    def __init__(self, app: ASGIApp, span: Span) -> None:
        self._app = app
        self._span = span
        self._messages = {"in": 0, "out": 0}
        self._bytes = {"in": 0, "out": 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        span = self._span
        token = current_span.set(span)
        error: str | None = None

        async def received() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                self._count("in", message)
            elif message["type"] == "websocket.disconnect":
                span.event("client left", {"code": int(message.get("code") or 0)})
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "websocket.accept":
                span.event("opened")
            elif message["type"] == "websocket.send":
                self._count("out", message)
            elif message["type"] == "websocket.close":
                span.event("closed", {"code": int(message.get("code") or 0)})
            await send(message)

        try:
            await self._app(scope, received, sent)
        except BaseException as failure:
            error = error_code(failure)
            raise
        finally:
            current_span.reset(token)
            self._finish(scope, error)

    def _count(self, direction: str, message: Message) -> None:
        self._messages[direction] += 1
        self._bytes[direction] += len(message.get("bytes") or message.get("text") or "")

    def _finish(self, scope: Scope, error: str | None) -> None:
        span, state = self._span, scope.get("state", {})
        route = state.get("route_label") or getattr(scope.get("route"), "path", "")
        if not span.recording:
            return
        span.rename(f"WEBSOCKET {route or 'unmatched'}")
        span.put(ROUTE, route or None)
        span.put(TENANT, _tenant_of(scope))
        for direction in ("in", "out"):
            span.put(f"speechgate.stream.messages_{direction}", self._messages[direction])
            span.put(f"speechgate.stream.size_{direction}", self._bytes[direction])
        span.end(error)
