"""WebSocket and Socket.IO: connections that live longer than a request.

After the upgrade the gateway copies bytes and parses no frame of the client. A Socket.IO session
begins with plain requests; its id starts with the token of the replica that made it, so that any
gateway finds that replica again.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from gateway.exceptions import BadPath, ScopeMissing, UpgradeRequired
from gateway.models.flags import ModelChoice
from gateway.models.principal import Principal
from gateway.models.routes import Route, Transport
from gateway.proxy.answer import AnswerHead
from gateway.proxy.exchange import Exchange
from gateway.proxy.head import RequestHead
from gateway.proxy.passenger import ClientEnd
from gateway.server.connection import HttpConnection
from gateway.upstream.leased import LeasedResponse
from gateway.upstream.protocol import Header, UpstreamRequest
from gateway.upstream.tunnel import Tunnel
from shared.problem import BadRequest

_SWITCHING = 101
_MAX_FIELDS = 50
# Never passed on, never logged: a ticket is single-use, a key in a URL is what old clients of
# Socket.IO send.
_TICKET, _KEY = "ticket", "apiKey"
_SID = "sid"
# A replica's token, and what the service's library makes.
_SESSION = re.compile(r"[0-9A-Za-z]{1,16}-[0-9A-Za-z_-]{1,64}", re.ASCII)
_SOCKET_IO = "/socket.io"
_TICKET_CHECKS = 5
_UPGRADE: tuple[Header, ...] = ((b"connection", b"Upgrade"), (b"upgrade", b"websocket"))


class StreamEnd(Protocol):
    """The client's end of an open stream.

    Attributes:
        reason: Why the gateway ended it; None when a side did.
    """

    reason: str | None

    async def run(self) -> None:
        """Until it ends."""


class StreamExchange(Exchange):
    """One upgrade, or one request of a Socket.IO session."""

    __slots__ = ("_checks", "_credential", "_query")

    async def _sender(self, head: RequestHead) -> Principal:
        """Who opens the stream: by header, by ticket, or as old Socket.IO clients do."""
        self._query = self._read_query()
        self._credential: str | None = None
        self._checks = 0
        if b"authorization" not in head.single and b"x-api-key" not in head.single:
            ticket = self._query.pop(_TICKET, None)
            if ticket is not None:
                return await self._context.tickets.redeem(ticket)
            key = self._query.pop(_KEY, None)
            if key is not None and self._route.startswith(_SOCKET_IO):
                self._credential = key
                authenticator = self._context.authenticator
                return await authenticator.authenticate(key)
        self._credential = head.credential()
        return await super()._sender(head)

    def _read_query(self) -> dict[str, str]:
        query = self._request.target.partition(b"?")[2].decode("latin-1")
        try:
            fields = parse_qsl(
                query, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
            )
        except ValueError:
            raise BadPath("The query is malformed.") from None
        return dict(fields)

    async def _forward(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> None:
        if self._request.upgrades:
            await self._tunnel(principal, route, head, choice)
        elif route.transport is Transport.SOCKET_IO:
            await super()._forward(principal, route, head, choice)
        else:
            raise UpgradeRequired

    def _to_service(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> UpstreamRequest:
        request = super()._to_service(principal, route, head, choice)
        for name in (_TICKET, _KEY):
            self._query.pop(name, None)
        path = request.target.partition("?")[0]
        query = urlencode(self._query)
        sid = self._query.get(_SID)
        if sid and self._route.startswith(_SOCKET_IO) and not _SESSION.fullmatch(sid):
            raise BadRequest("No session has such an id.", code="bad_session")
        return request._replace(
            target=f"{path}?{query}" if query else path,
            affinity=sid.partition("-")[0] if sid else None,
        )

    async def _tunnel(
        self, principal: Principal, route: Route, head: RequestHead, choice: ModelChoice
    ) -> None:
        """Connect the client with a replica until one of them ends it."""
        request = self._request
        asked = self._to_service(principal, route, head, choice)._replace(body=None)
        tunnel = await self._context.pools[route.service].open_tunnel(asked)
        if isinstance(tunnel, LeasedResponse):
            await self._relay(tunnel)
            return
        self._replica = tunnel.replica
        try:
            answer = AnswerHead(tunnel.headers)
            self._status = _SWITCHING
            headers = [*self._headers_of(answer), *_UPGRADE]
            request.start(_SWITCHING, headers, framed=True, lines=answer.protection)
            connection = request.channel
            if not isinstance(connection, HttpConnection):
                raise TypeError(connection)
            check = partial(self._check_sender, self._scopes(route))
            end = self._end_of(connection, tunnel, check, principal)
            try:
                await end.run()
            finally:
                request.finished = True
                request.sent, request.body.received = tunnel.bytes_out, tunnel.bytes_in
                self._code = end.reason
        finally:
            tunnel.close()

    def _end_of(
        self,
        connection: HttpConnection,
        tunnel: Tunnel,
        check: Callable[[], Awaitable[None]],
        principal: Principal,  # noqa: ARG002 - for streams of another kind
    ) -> StreamEnd:
        """What serves the client from now on."""
        return ClientEnd(connection, tunnel, self._context.stream_bounds, check)

    def _scopes(self, route: Route) -> Sequence[str]:
        """What the sender needs, as long as the stream is open."""
        return (route.scope,)

    async def _check_sender(self, scopes: Sequence[str]) -> None:
        """Renew what the stream holds, and refuse a sender that lost its rights meanwhile."""
        context, principal = self._context, self._principal
        if self._lease is not None:
            context.limiter.renew(self._lease)
        if self._credential is not None:
            principal = await context.authenticator.authenticate(self._credential)
        elif principal is not None:
            self._checks += 1
            if self._checks % _TICKET_CHECKS == 0:  # No cache knows a ticket's sender.
                principal = await context.tickets.sender_now(principal)
        for scope in scopes:
            if principal is not None and not principal.may(scope):
                raise ScopeMissing(scope)
