"""Problem documents from the proxied path."""

from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

from gateway.middleware.body import StreamedBody
from shared.asgi.body import RequestTimeout
from shared.asgi.errors import problem_response
from shared.problem import SpeechgateError

_SMALL_BYTES = 64 * 1024
_LINGER_BYTES = 64 * 1024 * 1024
_LINGER_S = 2.0


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    error: SpeechgateError,
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: StreamedBody | None = None,
) -> None:
    """Answer with an error, whatever the client is still sending.

    A small body is left to the server, which drops it and keeps the connection. A large one ends
    the connection, but not at once: a reset could take the answer away from a client that is
    still writing, so it is read and dropped for a while after the answer went out.

    Args:
        scope: Of the request.
        receive: Its ASGI channel.
        send: Its ASGI channel.
        error: What to say.
        headers: In addition to the error's own.
        body: The request body as far as it was read; None when nothing was.
    """
    length, chunked, expects = 0, False, False
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"transfer-encoding":
            chunked = True
        elif name == b"expect":
            expects = body is None  # Reading from a body is what gives leave to send it.
    unread = body is None or not body.ended
    lingers = unread and not expects and (chunked or length > _SMALL_BYTES)
    if isinstance(error, RequestTimeout):
        lingers = False
    response = problem_response(scope, error)
    found = [*response.raw_headers, *headers]
    if unread and (lingers or expects or isinstance(error, RequestTimeout)):
        found.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status_code, "headers": found})
    await send({"type": "http.response.body", "body": bytes(response.body), "more_body": lingers})
    if lingers:
        rest = body or StreamedBody(receive, length=None, max_bytes=0, timeout_s=_LINGER_S)
        await rest.drain(max_bytes=_LINGER_BYTES, timeout_s=_LINGER_S)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
