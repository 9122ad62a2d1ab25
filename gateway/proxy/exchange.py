"""One proxied request and its answer.

Order: path and headers → route → sender → permission → limits → kill switch → model → service.
Whatever can be refused without I/O is refused first.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from gateway.exceptions import (
    ConcurrencyExceeded,
    MethodNotAllowed,
    QuotaExceeded,
    RouteClosed,
    ScopeMissing,
    UpstreamUnavailable,
)
from gateway.models.flags import DEFAULT_CHOICE, ModelChoice
from gateway.models.limits import Decision, Lease
from gateway.models.principal import Principal
from gateway.models.routes import Outage, Route
from gateway.proxy.answer import AnswerHead
from gateway.proxy.begun import Begun
from gateway.proxy.context import KnownTrace, TraceHeaders
from gateway.proxy.head import RequestHead
from gateway.proxy.outgoing import to_service
from gateway.proxy.parts import ProxyContext
from gateway.proxy.record import Facts, Record
from gateway.proxy.refusal import refuse
from gateway.proxy.renewal import renewing
from gateway.proxy.sender import caps_of, sender_of
from gateway.proxy.shortcuts import shortcut_for
from gateway.ratelimit.headers import limit_headers, policy_header, retry_after_s
from gateway.server.body import ClientLeft
from gateway.server.request import Request
from gateway.upstream.leased import LeasedResponse
from gateway.upstream.protocol import Header, UpstreamBroken, UpstreamRequest, UpstreamTimeout
from shared.logging import get_logger
from shared.problem import SpeechgateError, Unavailable
from shared.tracing import current_context

_logger = get_logger(__name__)
_UNAUTHORIZED, _CLIENT_LEFT = 401, 499
_SMALL_BODY_BYTES = 64 * 1024
_VARIANT = b"x-model-variant"


class Exchange:
    """Serves one request; `run` is its whole life."""

    __slots__ = (
        "_admitted",
        "_begun",
        "_code",
        "_context",
        "_lease",
        "_limits",
        "_principal",
        "_replica",
        "_request",
        "_route",
        "_status",
        "_trace",
        "_upstream",
        "_variant",
    )

    def __init__(self, context: ProxyContext, request: Request, template: str) -> None:
        self._context = context
        self._request = request
        self._route = template
        self._limits: Sequence[Header] = ()
        self._principal: Principal | None = None
        self._lease: Lease | None = None
        self._upstream: str | None = None
        self._replica: str | None = None
        self._variant: str | None = None
        self._code: str | None = None
        self._status = 0
        self._begun = begun = request.begun if isinstance(request.begun, Begun) else None
        self._trace = TraceHeaders() if begun is None else KnownTrace(begun.context)
        self._admitted = begun is not None
        request.begun = None

    async def run(self, routes: Mapping[str, Route]) -> None:
        """Answer the request, whatever happens.

        Args:
            routes: Of its path, by method.
        """
        context, request = self._context, self._request
        context.observer.started()
        try:
            await self._serve(routes)
        except SpeechgateError as error:
            self._refuse(error)
        except ClientLeft:
            self._status = _CLIENT_LEFT
        except asyncio.CancelledError:
            # By the client that left, or by the server whose patience after SIGTERM is over.
            if request.channel.closed:
                self._status = _CLIENT_LEFT
            elif not request.started:
                self._refuse(Unavailable("This process is shutting down.", code="shutting_down"))
            raise
        except Exception as error:
            _logger.error("unhandled error", exc_info=error)
            if not request.started:
                self._refuse(
                    SpeechgateError("Something went wrong on our side; quote the request id.")
                )
        finally:
            if self._admitted:
                context.overload.leave()
            if self._lease is not None:
                context.limiter.release(self._lease)
            self._note()

    async def _serve(self, routes: Mapping[str, Route]) -> None:
        context, request = self._context, self._request
        head = RequestHead(request.headers, request.version)
        body, noted = request.body, head.noted
        body.declare(head.length, noted.get(b"expect") if noted else None)
        if noted:
            self._continue(noted)
        current_context.set(self._trace.context)
        route = routes.get(request.method)
        if route is None:
            raise MethodNotAllowed(routes)
        begun = self._begun
        if begun is None:
            context.overload.admit(route.priority)
            self._admitted = True
            principal = self._principal = await self._sender(head)
            decided = self._decide(principal, route)
            if not isinstance(decided, Decision):
                decided = await decided
        else:
            principal = self._principal = begun.principal
            decided = begun.decision
        self._admit(principal, decided)
        handed = None if begun is None else begun.handed
        choice = self._choose(principal, route, noted) if handed is None else handed.choice
        self._variant, self._upstream = choice.variant, route.service
        await self._forward(principal, route, head, choice)
        if request.finished:
            self._shorten(principal, route, head)

    def _choose(self, principal: Principal, route: Route, noted: dict[bytes, bytes]) -> ModelChoice:
        """The model, unless the route is closed."""
        if self._context.switches.closed(route.template):
            raise RouteClosed
        if route.model_flag is None:
            return DEFAULT_CHOICE
        session = noted.get(b"x-session-id")
        return self._context.models.choose(
            route.model_flag, principal, session.decode("latin-1") if session else None
        )

    def _shorten(self, principal: Principal, route: Route, head: RequestHead) -> None:
        """Let the next request take a short cut, if it is like this one."""
        self._request.shortcut = shortcut_for(self._context, self._request, route, principal, head)

    def _continue(self, noted: dict[bytes, bytes]) -> None:
        self._trace = TraceHeaders(noted)

    async def _sender(self, head: RequestHead) -> Principal:
        """Who sent the request."""
        return await sender_of(self._context.authenticator, self._request, head)

    def _decide(self, principal: Principal, route: Route) -> "Decision | asyncio.Future[Decision]":
        if not principal.may(route.scope):
            self._limits = (policy_header(principal.policy),)
            raise ScopeMissing(route.scope)
        return self._context.limiter.submit(
            principal.identity.subject,
            principal.policy,
            route.cost,
            caps_of(principal),
            fail_closed=route.outage is Outage.FAIL_CLOSED,
        )

    def _admit(self, principal: Principal, decision: Decision) -> None:
        policy = principal.policy
        self._lease, self._limits = decision.lease, limit_headers(policy, decision)
        if decision.allowed:
            return
        if decision.capped is not None:
            raise ConcurrencyExceeded(decision.capped)
        violated = [
            window.name for window, full in zip(policy, decision.violated, strict=True) if full
        ]
        raise QuotaExceeded(violated, retry_after_s(decision))

    async def _forward(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> None:
        """Let a replica answer."""
        body = self._request.body
        if body.received or not body.ended:
            body.bound(self._context.body_bounds[route.body])
            enough = min(body.length or _SMALL_BODY_BYTES, _SMALL_BODY_BYTES)
            if not body.ended and body.buffered < enough:
                # A slow client must not keep a place of a service, nor one of this process.
                waiting, sender = self._context.waiting, principal.identity.subject
                with waiting.waits(self._request, sender, route.priority):
                    await body.arrive(enough)
        with renewing(self._context.limiter, self._lease if route.slow else None):
            response = await self._context.pools[route.service].send(
                self._to_service(principal, route, head, choice),
                route.priority,
                self._begun.sent if self._begun is not None else None,
            )
            await self._relay(response)

    async def _relay(self, response: LeasedResponse) -> None:
        """Pass a service's answer on."""
        request, self._replica = self._request, response.replica
        try:
            if response.status == _UNAUTHORIZED:
                # The service doubts the gateway, not the client.
                raise UpstreamUnavailable(
                    "The service refused the gateway.", code="upstream_refused"
                )
            answer = AnswerHead(response.headers)
            part, more = response.take()
            headers = self._headers_of(answer)
            if not more and answer.framed:
                request.respond(response.status, headers, part, answer.protection)
                return
            request.start(response.status, headers, framed=answer.framed, lines=answer.protection)
            await self._stream(response, part, more=more)
        finally:
            response.close()

    def _to_service(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> UpstreamRequest:
        return to_service(
            self._context, self._request, head, principal, route, choice, self._trace.headers
        )

    async def _stream(self, response: LeasedResponse, part: bytes, *, more: bool) -> None:
        request = self._request
        request.write(part)
        try:
            while more:
                await request.channel.drain()
                part, more = await response.read()
                request.write(part)
        except (UpstreamBroken, UpstreamTimeout) as error:
            # Not finished, so that the server drops the connection: the client must not take
            # half an answer for a whole one.
            self._code = "answer_broken"
            _logger.warning("answer broke off", replica=response.replica, kind=type(error).__name__)
        else:
            request.finish()

    def _headers_of(self, answer: AnswerHead) -> list[Header]:
        if answer.used is not None and answer.used != b"variant":
            self._variant = answer.used.decode("latin-1")
        headers = answer.kept
        headers += self._limits
        headers += self._trace.headers
        headers.append((_VARIANT, (self._variant or "default").encode()))
        return headers

    def _refuse(self, error: SpeechgateError) -> None:
        self._code, self._status = error.code, error.status
        headers = list(self._limits)
        if self._upstream is not None:  # The model was chosen.
            headers.append((_VARIANT, (self._variant or "default").encode()))
        refuse(self._request, error, self._trace.context, headers)

    def _note(self) -> None:
        request, principal, trace = self._request, self._principal, self._trace.context
        facts = Facts(
            request.method,
            self._route,
            self._status or request.status or _CLIENT_LEFT,
            self._variant,
            principal.plan if principal is not None else None,
            principal.identity.subject if principal is not None else None,
            principal.identity.tenant_id if principal is not None else None,
            self._upstream,
            self._replica,
            self._code,
        )
        self._context.observer.finished(
            Record(
                self._context.observer.kind(facts),
                time.time(),
                request.channel.loop.time() - request.arrived,
                trace.request_id,
                trace.trace_id,
                request.body.received,
                request.sent,
            )
        )
