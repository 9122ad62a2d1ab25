"""The caller of an HTTP request, for handlers."""

from collections.abc import Callable

from starlette.requests import Request

from shared.asgi.context import context_of
from shared.asgi.identity import require_scope
from shared.caller import Caller
from shared.serving import MODEL_HEADER, parse_reference


def caller_with(scope: str) -> Callable[[Request], Caller]:
    """A dependency: the caller, if the scope was granted.

    Args:
        scope: E.g. `tts:infer`.
    """

    def read(request: Request) -> Caller:
        identity = request.scope["state"]["identity"]
        require_scope(identity, scope)
        context = context_of(request.scope)
        return Caller(
            identity.tenant_id,
            identity.subject,
            context.request_id,
            context.trace_id,
            parse_reference(request.headers.get(MODEL_HEADER)),
            identity.models,
        )

    return read
