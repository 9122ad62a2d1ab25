"""The proxied path: raw ASGI in front of FastAPI, from the request's head to its last byte.

Order: path and headers → route → key → scope → quota → body bound → service. Whatever can be
refused without I/O is refused first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.exceptions import MethodNotAllowed, QuotaExceeded, ScopeMissing, UpstreamUnavailable
from gateway.middleware.body import ClientLeft, StreamedBody
from gateway.middleware.disconnect import LeaveWatch
from gateway.middleware.edge import check_path, credential
from gateway.middleware.refusal import refuse
from gateway.models.principal import Principal
from gateway.models.routes import BodyBound, Route, Service
from gateway.ratelimit.headers import limit_headers, policy_header, retry_after_s
from gateway.ratelimit.protocol import Limiter
from gateway.routes import ASSETS, INFRASTRUCTURE, RouteTable
from gateway.services.authentication import Authenticator
from gateway.upstream.headers import check_request_headers, request_headers, response_headers
from gateway.upstream.pool import LeasedResponse, ReplicaPool
from gateway.upstream.protocol import UpstreamBroken, UpstreamRequest, UpstreamTimeout
from shared.identity import IdentityIssuer
from shared.logging import get_logger
from shared.problem import NotFound, SpeechgateError

_logger = get_logger(__name__)
_UNAUTHORIZED = 401
_ASSETS_PREFIX = ASSETS.partition("{")[0]


@dataclass(frozen=True, slots=True)
class ProxyContext:
    """What the proxied path works with; opened by the lifespan."""

    authenticator: Authenticator
    limiter: Limiter
    issuer: IdentityIssuer
    pools: Mapping[Service, ReplicaPool]
    body_bounds: Mapping[BodyBound, int]
    receive_timeout_s: float


class ProxyMiddleware:
    """Answers declared API paths; leaves the infrastructure paths to FastAPI; 404 for the rest."""

    def __init__(self, app: ASGIApp, *, table: RouteTable) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            fields = check_request_headers(scope["headers"], scope["http_version"])
            path = check_path(scope["raw_path"])
            routes = self._table.find(path)
            if routes is not None:
                await exchange.serve(routes, fields)
                return
            if path not in INFRASTRUCTURE and not path.startswith(_ASSETS_PREFIX):
                raise NotFound("There is nothing at this path.")
        except SpeechgateError as error:
            await exchange.refuse(error)
            return
        except ClientLeft:
            return
        await self._app(scope, receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._log: dict[str, object] = scope["state"].setdefault("log", {})
        self._limit_headers: list[tuple[bytes, bytes]] = []
        self._body: StreamedBody | None = None

    async def refuse(self, error: SpeechgateError) -> None:
        """Answer with a problem document."""
        self._log["code"] = error.code
        await refuse(
            self._scope,
            self._receive,
            self._send,
            error,
            headers=self._limit_headers,
            body=self._body,
        )

    async def serve(self, routes: Mapping[str, Route], fields: Mapping[bytes, bytes]) -> None:
        """Authenticate, limit, pass on.

        Raises:
            SpeechgateError: What to tell the client; nothing was sent yet.
            ClientLeft: Nobody to tell.
        """
        scope, state = self._scope, self._scope["state"]
        state["route_label"] = next(iter(routes.values())).template
        context: ProxyContext = state["context"].proxy
        route = routes.get(scope["method"])
        if route is None:
            raise MethodNotAllowed(routes)
        principal = await context.authenticator.authenticate(credential(fields))
        await self._admit(context, principal, route)
        await self._forward(context, principal, route, fields)

    async def _admit(self, context: ProxyContext, principal: Principal, route: Route) -> None:
        identity, policy = principal.identity, principal.policy
        self._log["key_id"] = identity.subject
        self._log["tenant"] = identity.tenant_id
        self._limit_headers = [policy_header(policy)]
        if not identity.allows(route.scope):
            raise ScopeMissing(route.scope)
        decision = await context.limiter.check(identity.subject, policy, route.cost)
        self._limit_headers = limit_headers(policy, decision)
        if not decision.allowed:
            violated = [
                window.name for window, full in zip(policy, decision.violated, strict=True) if full
            ]
            raise QuotaExceeded(violated, retry_after_s(decision))

    async def _forward(
        self,
        context: ProxyContext,
        principal: Principal,
        route: Route,
        fields: Mapping[bytes, bytes],
    ) -> None:
        scope = self._scope
        self._log["upstream"] = route.service
        own = [
            (b"x-sg-identity", context.issuer.issue(principal.identity, route.service).encode()),
            (b"x-request-id", scope["state"]["request_context"].request_id.encode()),
            (b"traceparent", scope["state"]["request_context"].traceparent.encode()),
            (b"x-forwarded-for", scope["client"][0].encode() if scope["client"] else b"unknown"),
            (b"x-forwarded-proto", scope["scheme"].encode()),
        ]
        declared = fields.get(b"content-length")
        with LeaveWatch(self._receive) as watch:
            if declared is not None or b"transfer-encoding" in fields:
                self._body = body = StreamedBody(
                    self._receive,
                    length=int(declared) if declared is not None else None,
                    max_bytes=context.body_bounds[route.body],
                    timeout_s=context.receive_timeout_s,
                )
                length = await body.begin()
                if length is not None:
                    own.append((b"content-length", str(length).encode()))
            if self._body is None or self._body.ended:
                watch.arm()
            request = UpstreamRequest(
                method=scope["method"],
                target=_target(scope),
                headers=request_headers(scope["headers"], own),
                body=self._body,
            )
            response = await context.pools[route.service].send(request)
            self._log["replica"] = response.replica
            try:
                if response.status == _UNAUTHORIZED:
                    # The service doubts the gateway, not the client.
                    raise UpstreamUnavailable(
                        f"The {route.service} service refused the gateway.",
                        code="upstream_refused",
                    )
                if self._body is None or self._body.ended:
                    watch.arm()
                await self._answer(response)
            finally:
                response.close()

    async def _answer(self, response: LeasedResponse) -> None:
        await self._send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": response_headers(response.headers, self._limit_headers),
            }
        )
        more = True
        try:
            while more:
                part, more = await response.read()
                await self._send({"type": "http.response.body", "body": part, "more_body": more})
        except (UpstreamBroken, UpstreamTimeout) as error:
            # Returning without the last part makes the server drop the connection: the client
            # must not take half an answer for a whole one.
            self._log["broken"] = type(error).__name__
            _logger.warning("answer broke off", replica=response.replica)


def _target(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
