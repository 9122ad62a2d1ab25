"""Who may call what the gateway answers itself: raw ASGI in front of FastAPI.

Denies unless a route is declared: a handler that forgot its check cannot be reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.exceptions import (
    ConcurrencyExceeded,
    MethodNotAllowed,
    QuotaExceeded,
    RouteClosed,
    ScopeMissing,
)
from gateway.models.limits import Lease
from gateway.models.principal import Principal
from gateway.models.route_table import RouteTable
from gateway.models.routes import OwnRoute
from gateway.proxy.head import RequestHead, check_path
from gateway.proxy.parts import RouteSwitch
from gateway.proxy.renewal import renewing
from gateway.proxy.sender import caps_of
from gateway.ratelimit.headers import limit_headers, policy_header, retry_after_s
from gateway.ratelimit.protocol import Limiter
from gateway.routes import ASSETS
from gateway.services.authentication import Authenticator
from shared.asgi.errors import problem_response
from shared.problem import NotFound, SpeechgateError
from shared.telemetry.span import span

Header = tuple[bytes, bytes]
_ASSETS_PREFIX = ASSETS.partition("{")[0]


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What the guard works with; opened by the lifespan."""

    authenticator: Authenticator
    limiter: Limiter
    switches: RouteSwitch


class GuardMiddleware:
    """Enforces the table of the gateway's own routes.

    Args:
        app: The next layer.
        table: Every route that may be reached.
        infrastructure: Paths that need no sender, besides the pages' files.
    """

    def __init__(
        self, app: ASGIApp, *, table: RouteTable[OwnRoute], infrastructure: frozenset[str]
    ) -> None:
        self._app = app
        self._table = table
        self._infrastructure = infrastructure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told: list[Header] = []
        lease: Lease | None = None
        try:
            head = RequestHead(scope["headers"], scope["http_version"])
            path = check_path(scope["raw_path"])
            routes = self._table.find(path)
            if routes is not None:
                state = scope["state"]
                state["route_label"] = next(iter(routes.values())).template
                route = routes.get(scope["method"])
                if route is None:
                    raise MethodNotAllowed(routes)
                if route.permission is not None:
                    context: GuardContext = state["context"].guard
                    lease = await _admit(context, route, head, scope, told)
            elif path not in self._infrastructure and not path.startswith(_ASSETS_PREFIX):
                raise NotFound("There is nothing at this path.")
        except SpeechgateError as error:
            scope["state"].setdefault("log", {})["code"] = error.code
            response = problem_response(scope, error)
            response.raw_headers.extend(told)
            await response(scope, receive, send)
            return
        if not told:
            await self._app(scope, receive, send)
            return
        limiter = scope["state"]["context"].guard.limiter
        try:
            with renewing(limiter, lease):
                await self._app(scope, receive, _adding(send, told))
        finally:
            if lease is not None:
                limiter.release(lease)


async def _admit(
    context: GuardContext,
    route: OwnRoute,
    head: RequestHead,
    scope: Scope,
    told: list[Header],
) -> Lease | None:
    """Authenticate and limit.

    Args:
        context: Who knows senders and limits.
        route: What is called.
        head: Of the request.
        scope: Gets the principal.
        told: Gets the headers about limits; a handler that counts more replaces them.

    Returns:
        Places to be given back at the end.
    """
    credential = head.credential()
    authenticator = context.authenticator
    principal: Principal | None = authenticator.cached(authenticator.digest(credential), credential)
    if principal is None:
        principal = await context.authenticator.authenticate(credential)
    state, policy = scope["state"], principal.policy
    log = state.setdefault("log", {})
    log["key_id"], log["tenant"] = principal.identity.subject, principal.identity.tenant_id
    state["plan"] = log["plan"] = principal.plan
    told[:] = [policy_header(policy)]
    if route.permission and not principal.may(route.permission):
        raise ScopeMissing(route.permission)
    caps = caps_of(principal) if route.composed else ()
    with span("rate limit"):
        decision = await context.limiter.check(principal.identity.subject, policy, route.cost, caps)
    told[:] = limit_headers(policy, decision)
    if not decision.allowed:
        if decision.capped is not None:
            raise ConcurrencyExceeded(decision.capped)
        violated = [
            window.name for window, full in zip(policy, decision.violated, strict=True) if full
        ]
        raise QuotaExceeded(violated, retry_after_s(decision))
    if route.composed and context.switches.closed(route.template):
        if decision.lease is not None:
            context.limiter.release(decision.lease)
        raise RouteClosed
    state["principal"], state["told"] = principal, told
    return decision.lease


def _adding(send: Send, headers: Sequence[Header]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers
