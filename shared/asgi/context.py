"""Request id, trace context, access log and RED metrics for every HTTP request."""

import asyncio
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.errors import send_problem
from shared.asgi.headers import header, ids_of
from shared.asgi.spans import begin_request, finish_request, traced_stream
from shared.deadline import TIMEOUT_HEADER, set_deadline
from shared.logging import get_logger
from shared.metrics import Metrics
from shared.problem import SpeechgateError, Unavailable
from shared.telemetry.span import current_span
from shared.tracing import RequestContext, current_context, request_context

_logger = get_logger("speechgate.access")
CLIENT_LEFT = 499
_OUR_FAULT = "Something went wrong on our side; quote the request id."
_QUIET = frozenset({"/health", "/ready", "/metrics"})


def route_template(scope: Scope) -> str:
    """The matched route's template; never the raw path, which is unbounded."""
    label: str | None = scope.get("state", {}).get("route_label")
    if label:
        return label
    path: str = getattr(scope.get("route"), "path", "") or "unmatched"
    return path


class RequestContextMiddleware:
    """The outermost layer of every process.

    Args:
        app: The next layer.
        metrics: Where the request is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside its own context."""
        if scope["type"] != "http":
            app = self._app if scope["type"] != "websocket" else traced_stream(self._app, scope)
            await app(scope, receive, send)
            return
        ids = ids_of(scope)
        span = None if scope["path"] in _QUIET else begin_request(scope, ids)
        context = request_context(*ids) if span is None else span.context
        token, span_token = current_context.set(context), current_span.set(span)
        set_deadline(header(scope, TIMEOUT_HEADER))
        structlog.contextvars.bind_contextvars(
            request_id=context.request_id, trace_id=context.trace_id
        )
        status = CLIENT_LEFT
        extra = [
            (b"x-request-id", context.request_id.encode()),
            (b"traceparent", context.traceparent.encode()),
        ]

        async def send_with_context(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *(
                        pair
                        for pair in message.get("headers", ())
                        if pair[0] not in (b"x-request-id", b"traceparent")
                    ),
                    *extra,
                ]
            await send(message)

        scope.setdefault("state", {})["request_context"] = context
        started = time.perf_counter()
        self._metrics.started()
        try:
            await self._app(scope, receive, send_with_context)
        except asyncio.CancelledError:
            # The server's grace time after SIGTERM is over: say so, if nothing was said yet.
            if status == CLIENT_LEFT:
                error = Unavailable("This process is shutting down.", code="shutting_down")
                await send_problem(scope, send_with_context, error)
            raise
        except Exception as error:
            # The traceback goes to the log only; the client gets the request id to quote.
            _logger.error("unhandled error", exc_info=error)
            if status != CLIENT_LEFT:
                raise  # The answer has begun: the server must break the connection.
            await send_problem(scope, send_with_context, SpeechgateError(_OUR_FAULT))
        finally:
            seconds = time.perf_counter() - started
            route = route_template(scope)
            plan = scope["state"].get("plan")
            self._metrics.finished(scope["method"], route, status, seconds, plan)
            finish_request(span, scope, route, status)
            if route not in _QUIET:
                _logger.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    duration_ms=round(seconds * 1000, 2),
                    **scope["state"].get("log", {}),
                )
            structlog.contextvars.clear_contextvars()
            current_span.reset(span_token)
            current_context.reset(token)


def context_of(scope: Scope) -> RequestContext:
    """The context that the middleware gave this request."""
    context: RequestContext = scope["state"]["request_context"]
    return context
