"""What a service is asked on behalf of a client."""

from collections.abc import Sequence

from gateway.models.flags import ModelChoice
from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.proxy.head import RequestHead
from gateway.proxy.parts import ProxyContext
from gateway.server.request import Request
from gateway.upstream.protocol import Header, UpstreamRequest

_PROTO = (b"x-forwarded-proto", b"http")


def forwarded(request: Request) -> list[Header]:
    """Whom the gateway speaks for, as addresses."""
    client = request.channel.client
    return [(b"x-forwarded-for", client[0].encode() if client else b"unknown"), _PROTO]


def to_service(
    context: ProxyContext,
    request: Request,
    head: RequestHead,
    principal: Principal,
    route: Route,
    choice: ModelChoice,
    trace: Sequence[Header],
) -> UpstreamRequest:
    """The client's request with what the gateway states itself."""
    body = request.body
    own = [
        (b"x-sg-identity", context.issuer.issue_bytes(principal.identity, route.service)),
        *trace,
        *forwarded(request),
    ]
    if choice.model is not None:
        own.append((b"x-sg-model", choice.reference.encode()))
    length = body.received if body.ended else body.length
    if length or (length == 0 and request.method != "GET"):
        own.append((b"content-length", b"%d" % length))
    return UpstreamRequest(
        request.method,
        request.target.decode("latin-1"),
        head.kept + own,
        body if body.received or not body.ended else None,
        route.idempotent,
        request.arrived + context.timeout_of(route),
    )
