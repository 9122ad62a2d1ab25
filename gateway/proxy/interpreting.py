"""`/api/v1/pipeline/stream`: speech in one language to speech in another, while it is spoken."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.exceptions import RouteClosed, ScopeMissing
from gateway.models.flags import ModelChoice
from gateway.models.limits import Decision
from gateway.models.principal import Principal
from gateway.models.routes import Priority, Route
from gateway.proxy.head import RequestHead
from gateway.proxy.interpreted import InterpretedEnd
from gateway.proxy.stream import StreamEnd, StreamExchange
from gateway.ratelimit.headers import policy_header
from gateway.server.connection import HttpConnection
from gateway.services.pipelines.links import find_route
from gateway.services.pipelines.plan import Task
from gateway.upstream.protocol import UpstreamRequest
from gateway.upstream.step_answer import StepAnswer
from gateway.upstream.tunnel import Tunnel

PATH = "/api/v1/pipeline/stream"
_RECOGNITION = "/api/v1/asr/stream"
_TASKS = (Task.TRANSLATION, Task.TTS)


class InterpretingExchange(StreamExchange):
    """One upgrade; recognition is a tunnel whose frames are read on the way."""

    __slots__ = ()

    def _scopes(self, route: Route) -> Sequence[str]:
        return (route.scope, *(find_route(task).scope for task in _TASKS))

    def _decide(self, principal: Principal, route: Route) -> "Decision | asyncio.Future[Decision]":
        for scope in self._scopes(route):
            if not principal.may(scope):
                self._limits = (policy_header(principal.policy),)
                raise ScopeMissing(scope)
        return super()._decide(principal, route)

    def _to_service(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> UpstreamRequest:
        """Recognition's own path; no compression, since the frames are read."""
        steps = (_RECOGNITION, *(find_route(task).template for task in _TASKS))
        if any(map(self._context.switches.closed, steps)):
            raise RouteClosed
        request = super()._to_service(principal, route, head, choice)
        _, question, query = request.target.partition("?")
        return request._replace(
            target=_RECOGNITION + question + query,
            headers=[one for one in request.headers if one[0] != b"sec-websocket-extensions"],
        )

    def _end_of(
        self,
        connection: HttpConnection,
        tunnel: Tunnel,
        check: Callable[[], Awaitable[None]],
        principal: Principal,
    ) -> StreamEnd:
        context, request = self._context, self._request
        session = dict(request.headers).get(b"x-session-id")

        async def step(route: Route, body: bytes) -> StepAnswer:
            return await context.steps.call(
                route.service,
                route.method,
                route.template,
                body,
                principal,
                request.channel.loop.time() + context.timeout_of(route),
                self._trace.context,
                priority=Priority.LIVE,
                session_id=session.decode("latin-1") if session else None,
            )

        return InterpretedEnd(connection, tunnel, context.stream_bounds, check, step)
