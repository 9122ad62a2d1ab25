"""Errors outside ASGI, in the shape of the path's dialect."""

from collections.abc import Sequence

from gateway.proxy.answer import PROTECTION
from gateway.server.request import Request
from gateway.upstream.protocol import Header
from shared.dialects import wire_error
from shared.problem import SpeechgateError
from shared.tracing import RequestContext, request_context


def refuse(
    request: Request,
    error: SpeechgateError,
    context: RequestContext | None = None,
    headers: Sequence[Header] = (),
) -> None:
    """Answer with an error.

    Args:
        request: Nothing of an answer was sent yet.
        error: What to say.
        context: Of the request; a new one when it has none yet.
        headers: In addition to the error's own.
    """
    context = context or request_context(None, None)
    path = request.target.partition(b"?")[0].decode("latin-1")
    wire = wire_error(error, path=path, request_id=context.request_id)
    request.respond(
        wire.status,
        [
            (b"content-type", wire.media_type.encode()),
            (b"content-length", b"%d" % len(wire.body)),
            *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
            *headers,
            (b"x-request-id", context.request_id.encode()),
            (b"traceparent", context.traceparent.encode()),
        ],
        wire.body,
        PROTECTION,
    )
