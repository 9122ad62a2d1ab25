"""A service answers only requests that carry the gateway's identity token."""

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.asgi.errors import send_problem
from shared.asgi.headers import header
from shared.identity import IDENTITY_HEADER, Identity, IdentityVerifier
from shared.problem import Forbidden, Unauthenticated

OPEN_PATHS = frozenset({"/health", "/health/detailed", "/ready", "/metrics"})
_HEADER = IDENTITY_HEADER.encode()


class IdentityMiddleware:
    """Answer 401 to everything but the infrastructure routes unless the token is valid."""

    def __init__(self, app: ASGIApp, verifier: IdentityVerifier) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify, then serve."""
        if scope["type"] == "lifespan" or scope.get("path") in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            identity = self._verifier.verify(header(scope, _HEADER))
        except Unauthenticated as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4401})
            else:
                await send_problem(scope, send, error)
            return
        state = scope.setdefault("state", {})
        state["identity"] = identity
        state["log"] = {"tenant": identity.tenant_id, "subject": identity.subject}
        await self._app(scope, receive, send)


def require_scope(identity: Identity, scope: str) -> None:
    """Raise `Forbidden` (code `scope_missing`) unless the scope was granted."""
    if not identity.allows(scope):
        raise Forbidden(f"This needs the scope {scope}.", code="scope_missing")
