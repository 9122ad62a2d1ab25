"""Steps of a composed request: calls of the gateway's own to services, in a sender's name.

A step takes the way of a proxied request: one of the same replicas, within the same bounds, with
the same breaker and the same retries, the model chosen by the same flag. It is a span of its own
in the request's trace.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from gateway.exceptions import UpstreamUnavailable
from gateway.models.flags import DEFAULT_CHOICE, ModelChoice
from gateway.models.principal import Principal
from gateway.models.routes import Priority, Route, Service
from gateway.upstream.pool import ReplicaPool
from gateway.upstream.protocol import Header, UpstreamRequest
from gateway.upstream.step_answer import StepAnswer, StepStream
from shared.identity import IdentityIssuer
from shared.logging import get_logger
from shared.metrics import LATENCY_BUCKETS_S, Metrics
from shared.problem import DeadlineExceeded, SpeechgateError
from shared.red import RequestTallies
from shared.serving import USED_HEADER
from shared.telemetry.span import MODEL, STATUS, VARIANT, Kind, Span, Tracer
from shared.tracing import RequestContext

_logger = get_logger(__name__)
JSON = "application/json"
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_UNAUTHORIZED, _CLIENT_LEFT = 401, 499
_VARIANT = "variant"
_OTHER = "other"

StepBody = bytes | tuple[bytes, ...] | AsyncIterable[bytes] | None
"""Whole, in parts that are sent one behind the other, or as it comes."""


class ModelChooser(Protocol):
    """Chooses the model that serves a step."""

    def choose(self, flag: str | None, principal: Principal, session_id: str | None) -> ModelChoice:
        """From memory; never waits."""


class RouteFinder(Protocol):
    """Knows the public routes."""

    def find(self, path: str) -> Mapping[str, Route] | None:
        """Those of a path, by method."""


class _Body:
    """An `OutgoingBody`."""

    __slots__ = ("_content", "error")

    def __init__(self, content: tuple[bytes, ...] | AsyncIterable[bytes]) -> None:
        self._content = content
        self.error: Exception | None = None

    def open(self) -> tuple[bytes, ...] | AsyncIterable[bytes]:
        return self._content


class StepClient:
    """Calls services; made by the lifespan.

    Args:
        pools: Replicas by service.
        issuer: Signs what services are told.
        models: Chooses models, as for proxied requests.
        routes: Public ones; a step at one of them is served by the model of its flag.
        metrics: Where steps are counted.
        tracer: Makes their spans; None where there are no traces.
    """

    def __init__(
        self,
        pools: Mapping[Service, ReplicaPool],
        issuer: IdentityIssuer,
        models: ModelChooser,
        routes: RouteFinder,
        metrics: Metrics,
        tracer: Tracer | None = None,
    ) -> None:
        self._pools = pools
        self._tracer = tracer
        self._issuer = issuer
        self._models = models
        self._routes = routes
        self._tallies = RequestTallies(
            "speechgate_steps",
            "speechgate_step_duration_seconds",
            "Steps of composed requests, by the model variant that served them",
            ["route", "variant"],
            LATENCY_BUCKETS_S,
        )
        metrics.registry.register(self._tallies)

    async def call(
        self,
        service: Service,
        method: str,
        path: str,
        body: StepBody,
        principal: Principal,
        deadline: float,
        trace: RequestContext,
        *,
        content_type: str = JSON,
        priority: Priority = Priority.INTERACTIVE,
        session_id: str | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> StepAnswer:
        """A whole answer, whatever its status; cancelling this cancels the step.

        Args:
            service: Which one.
            method: HTTP method.
            path: And query.
            body: An iterator is sent as it comes, and cannot be sent again.
            principal: In whose name.
            deadline: `loop.time()` at which the whole answer must be there; the service is told.
            trace: Of the request that this is a step of.
            content_type: Of the body.
            priority: All but live traffic leave a tenth of the places free.
            session_id: Of the client's session, if it names one: keeps its model.
            max_bytes: Longest answer that is read.

        Raises:
            UpstreamUnavailable: The service does not answer.
            DeadlineExceeded: It did not in time.
            Exception: What the body's own iterator raises.
        """
        began = time.perf_counter()
        async with self.stream(
            service,
            method,
            path,
            body,
            principal,
            deadline,
            trace,
            content_type=content_type,
            priority=priority,
            session_id=session_id,
        ) as answer:
            whole = await answer.read(max_bytes)
        return StepAnswer(
            answer.status,
            answer.headers,
            whole,
            answer.variant,
            answer.model,
            answer.replica,
            time.perf_counter() - began,
            answer.trace,
        )

    @asynccontextmanager
    async def stream(
        self,
        service: Service,
        method: str,
        path: str,
        body: StepBody,
        principal: Principal,
        deadline: float,
        trace: RequestContext,
        *,
        content_type: str = JSON,
        priority: Priority = Priority.INTERACTIVE,
        session_id: str | None = None,
    ) -> AsyncIterator[StepStream]:
        """An answer to be read as it comes; arguments and errors as in `call`."""
        began = time.perf_counter()
        route = (self._routes.find(path.partition("?")[0]) or {}).get(method)
        choice, label = DEFAULT_CHOICE, f"{service}:{_OTHER}"
        if route is not None:
            label = route.template
            if route.model_flag is not None:
                choice = self._models.choose(route.model_flag, principal, session_id)
        made = None
        if self._tracer is not None:
            made = self._tracer.start(f"step {label}", Kind.CLIENT, trace)
        span = made.context if made is not None else trace._replace(span_id=os.urandom(8).hex())
        told: StepStream | None = None
        failed: SpeechgateError | None = None
        try:
            if deadline <= asyncio.get_running_loop().time():
                raise DeadlineExceeded("No time is left for this step.", code="upstream_timeout")
            request = UpstreamRequest(
                method,
                path,
                self._headers(service, principal, span, choice, body, content_type),
                _outgoing(body),
                route is not None and route.idempotent,
                deadline,
            )
            response = await self._pools[service].send(request, priority)
            try:
                if response.status == _UNAUTHORIZED:
                    raise UpstreamUnavailable(
                        "The service refused the gateway.", code="upstream_refused"
                    )
                told = StepStream(response, span, *_served(response.headers, choice))
                yield told
            finally:
                response.close()
        except SpeechgateError as error:
            failed = error
            raise
        finally:
            self._note(label, span, trace, choice, told, failed, time.perf_counter() - began, made)

    def _headers(
        self,
        service: Service,
        principal: Principal,
        span: RequestContext,
        choice: ModelChoice,
        body: StepBody,
        content_type: str,
    ) -> list[Header]:
        headers = [
            (b"x-sg-identity", self._issuer.issue_bytes(principal.identity, service)),
            (b"x-request-id", span.request_id.encode()),
            (b"traceparent", span.traceparent.encode()),
            (b"accept", b"*/*"),
        ]
        if body is not None:
            headers.append((b"content-type", content_type.encode("latin-1")))
        if choice.model is not None:
            headers.append((b"x-sg-model", choice.reference.encode()))
        return headers

    def _note(
        self,
        route: str,
        span: RequestContext,
        parent: RequestContext,
        choice: ModelChoice,
        told: StepStream | None,
        failed: SpeechgateError | None,
        seconds: float,
        made: Span | None,
    ) -> None:
        """Count the step, and log it: joined by trace and span ids, without content."""
        variant = choice.variant
        if told is not None:
            status, code, variant = told.status, told.code, told.variant
        elif failed is not None:
            # The client's own faults, too: it left, or its body was too large or too slow.
            status, code = failed.status, failed.code
        else:
            status, code = _CLIENT_LEFT, None
        self._tallies.tally(route, variant).add(status, seconds)
        if made is not None:
            made.put(STATUS, status)
            made.put(VARIANT, variant)
            made.put(MODEL, choice.reference or None)
            made.put("speechgate.replica", told.replica if told is not None else None)
            made.end(code)
        _logger.info(
            "step",
            request_id=span.request_id,
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=parent.span_id,
            route=route,
            status=status,
            variant=variant,
            replica=told.replica if told is not None else None,
            code=code,
            duration_ms=round(seconds * 1000, 2),
        )


def _outgoing(body: StepBody) -> _Body | None:
    if body is None:
        return None
    return _Body((body,) if isinstance(body, bytes) else body)


def _served(headers: Sequence[Header], choice: ModelChoice) -> tuple[str, str | None]:
    """Variant and model that a service says answered."""
    used = next((value for name, value in headers if name == USED_HEADER.encode()), None)
    if used is None or used == _VARIANT.encode():
        return choice.variant, choice.reference or None
    return used.decode("latin-1"), None
