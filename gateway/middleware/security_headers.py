"""Headers that tell browsers to keep their hands off; on every answer.

CORS stays closed: no `Access-Control-*` header is ever sent.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_DEFAULTS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_NAMES = frozenset(name for name, _ in _HEADERS)


class SecurityHeadersMiddleware:
    """Adds the headers; an answer's own policies for content and caching win."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name for name, _ in given}
                message["headers"] = [
                    *(pair for pair in given if pair[0] not in _NAMES),
                    *_HEADERS,
                    *(pair for pair in _DEFAULTS if pair[0] not in names),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)
