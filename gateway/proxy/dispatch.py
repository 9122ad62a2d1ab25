"""Gives each request to the proxied path or to the application."""

import re
from collections.abc import Coroutine, Mapping
from typing import Any

from starlette.types import ASGIApp

from gateway.models.route_table import RouteTable
from gateway.models.routes import Route, Transport
from gateway.proxy.head import check_path
from gateway.proxy.interpreting import PATH as INTERPRETING
from gateway.proxy.parts import ProxyContext
from gateway.proxy.traced import kinds_of
from gateway.routes import SOCKET_IO, SPEECH_SOCKET_IO
from gateway.server.asgi import AsgiExchange
from gateway.server.request import Request
from shared.problem import SpeechgateError

_Found = tuple[str, Mapping[str, Route]]
_VOICE = re.compile(rb"(?:\A|&)(?:voice_id|gender)=")
"""Recognition has no such fields; clients of Socket.IO repeat their query in each request."""


class Dispatcher:
    """Serves every request of the process.

    Args:
        proxy: What the proxied path works with.
        table: Proxied routes.
        app: Answers everything else.
        state: What the application's lifespan yields.
    """

    def __init__(
        self, proxy: ProxyContext, table: RouteTable[Route], app: ASGIApp, state: dict[str, Any]
    ) -> None:
        self._proxy = proxy
        self._table = table
        self._app = app
        self._state = state
        # A path that is declared as it is needs no other check than being equal to it.
        self._fixed: dict[bytes, _Found] = {
            template.encode(): (template, routes) for template, routes in table.fixed.items()
        }
        self._kinds = kinds_of(proxy)
        self._plain = self._kinds.request
        self._speech: _Found = (SPEECH_SOCKET_IO, table.fixed.get(SPEECH_SOCKET_IO, {}))

    def __call__(self, request: Request) -> Coroutine[Any, Any, None]:
        """What answers one request."""
        path, _, query = request.target.partition(b"?")
        found = self._fixed.get(path) or self._find(path)
        if found is None:
            return AsgiExchange(request).run(self._app, self._state)
        template, routes = found
        route = routes.get(request.method)
        if route is None or route.transport is Transport.HTTP:
            return self._plain(self._proxy, request, template).run(routes)
        if template == SOCKET_IO and _VOICE.search(query):
            template, routes = self._speech
        kinds = self._kinds
        kind = kinds.interpreting if template == INTERPRETING else kinds.stream
        return kind(self._proxy, request, template).run(routes)

    def _find(self, path: bytes) -> _Found | None:
        try:
            routes = self._table.find(check_path(path))
        except SpeechgateError:
            return None  # The application's guard says what is wrong with it.
        if routes is None:
            return None
        return next(iter(routes.values())).template, routes
