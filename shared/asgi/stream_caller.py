"""The caller of a connection that lives longer than a request."""

from starlette.types import Scope

from shared.asgi.headers import header
from shared.asgi.identity import require_scope
from shared.caller import Caller
from shared.identity import Identity
from shared.serving import MODEL_HEADER, parse_reference
from shared.tracing import request_context


def stream_caller(scope: Scope, granted: str) -> Caller:
    """Who opened a connection, by the identity token of its handshake.

    Args:
        scope: Of a WebSocket, or of the request that began a session.
        granted: The scope that is needed, e.g. `asr:infer`.

    Raises:
        Forbidden: It was not granted.
    """
    identity: Identity = scope["state"]["identity"]
    require_scope(identity, granted)
    context = request_context(header(scope, b"x-request-id"), header(scope, b"traceparent"))
    return Caller(
        identity.tenant_id,
        identity.subject,
        context.request_id,
        context.trace_id,
        parse_reference(header(scope, MODEL_HEADER.encode())),
        identity.models,
    )
