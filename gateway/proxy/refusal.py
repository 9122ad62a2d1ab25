"""Problem documents outside ASGI."""

from collections.abc import Sequence

from gateway.proxy.answer import PROTECTION
from gateway.server.request import Request
from gateway.upstream.protocol import Header
from shared.problem import PROBLEM_MEDIA_TYPE, SpeechgateError, problem_body
from shared.tracing import RequestContext, request_context

_MEDIA_TYPE = (b"content-type", PROBLEM_MEDIA_TYPE.encode())


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
    body = problem_body(error, instance=path, request_id=context.request_id)
    request.respond(
        error.status,
        [
            _MEDIA_TYPE,
            (b"content-length", b"%d" % len(body)),
            *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
            *headers,
            (b"x-request-id", context.request_id.encode()),
            (b"traceparent", context.traceparent.encode()),
        ],
        body,
        PROTECTION,
    )
