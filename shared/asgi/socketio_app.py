"""`/socket.io`: sessions of python-socketio behind the gateway.

A session's id begins with the token that the gateway gave this replica, so that any gateway finds
it again, and only who began a session may go on with it.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs

import socketio
from engineio.packet import NOOP, Packet
from engineio.payload import Payload
from starlette.types import Message, Receive, Scope, Send

from shared.asgi.errors import send_problem
from shared.asgi.headers import header
from shared.asgi.socketio_line import SocketIoLine
from shared.identity import Identity
from shared.logging import get_logger
from shared.problem import BadRequest, Forbidden, SpeechgateError, Unavailable
from shared.settings import StreamingSettings
from shared.streams import FORBIDDEN, INVALID_DATA

PATH = "/socket.io"
_TOKEN = re.compile(r"[0-9A-Za-z]{1,16}", re.ASCII)
_NO_TOKEN = "local"  # noqa: S105 - not a secret: begun without a gateway
_SLACK = 16
_CLOSE_S = 2.0
# The library's 16 are fewer than a client queues up in one round trip; the body is bounded.
Payload.max_decode_packets = 1_024
_logger = get_logger(__name__)
_Owner = tuple[str, str]


@dataclass(slots=True)
class _Beginning:
    """A session that begins with this request, if one does."""

    token: str
    owner: _Owner
    sid: str | None = None


_beginning: ContextVar[_Beginning] = ContextVar("socketio_beginning")


class SocketIoClient(Protocol):
    """A connected client; each event is served before the next one of the client is read."""

    def begin(self) -> None:
        """It is connected."""

    async def start(self, *given: Any) -> None:
        """Event `start`."""

    async def data(self, *given: Any) -> None:
        """Event `data`."""

    async def stop(self) -> None:
        """Event `stop`."""

    async def close(self) -> None:
        """It is gone."""


Connect = Callable[[SocketIoLine, Scope], SocketIoClient]
"""Serves a client, by what it is told on and the request that began the session.

A SpeechgateError refuses it."""


class SocketIoApp:
    """An ASGI application.

    Args:
        connect: Serves a client.
        settings: Of the process: how large a message may be, how many sessions it and a tenant
            may have open, and how long one may be open without a client.
    """

    def __init__(self, connect: Connect, settings: StreamingSettings) -> None:
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            # One after the other: content has an order, and a client that is held back waits.
            async_handlers=False,
            # The gateway's: credentials are in headers or the query, never in cookies.
            cors_allowed_origins=[],
            max_http_buffer_size=settings.stream_max_message_bytes,
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        self._connect = connect
        # Not all of them stream at any time.
        self._max_sessions = 2 * settings.stream_max
        self._max_of_tenant = 2 * settings.stream_max_per_tenant
        self._start_s = settings.stream_start_timeout_s
        self._leaving: set[asyncio.Future[None]] = set()
        self._owners: dict[str, _Owner] = {}
        self._clients: dict[str, SocketIoClient] = {}
        self._server.eio.generate_id = self._named(self._server.eio.generate_id)
        self._server.eio.disconnect = self._ended(self._server.eio.disconnect)
        for event in ("connect", "disconnect", "start", "data", "stop"):
            self._server.on(event, getattr(self, f"_on_{event}"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of a session, or its WebSocket."""
        state = scope["state"]
        state["route_label"] = f"{PATH}/"
        identity: Identity = state["identity"]
        owner = (identity.tenant_id, identity.subject)
        sid = parse_qs(scope["query_string"].decode("latin-1")).get("sid", [None])[0]
        refusal = self._refusal(sid, owner)
        if refusal is not None:
            await _refuse(scope, send, refusal)
            return
        token = header(scope, b"x-sg-replica") or ""
        beginning = _Beginning(token if _TOKEN.fullmatch(token) else _NO_TOKEN, owner)
        _beginning.set(beginning)
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._server.handle_request(scope, receive, noting)
        except Exception as error:  # noqa: BLE001 - whatever a malformed packet makes the library raise
            _logger.warning("a socket.io connection broke", error=type(error).__name__)
            await self._drop(sid or beginning.sid)
            if scope["type"] == "websocket" and started:
                # The library forgets to.
                with contextlib.suppress(Exception):
                    await send({"type": "websocket.close", "code": INVALID_DATA})
            elif not started:
                # Among others a request that comes after the session was closed.
                over = BadRequest("This session is over.", code="session_over")
                await _refuse(scope, send, over)

    async def drain(self) -> None:
        """The process ends: close what is open."""
        closing = [
            asyncio.ensure_future(self._server.eio.disconnect(sid))
            for sid in list(self._server.eio.sockets)
        ]
        if closing:
            await asyncio.wait(closing)
        await self._server.shutdown()

    def _refusal(self, sid: str | None, owner: _Owner) -> SpeechgateError | None:
        sockets = self._server.eio.sockets
        if sid is None:
            of_tenant = sum(self._owners.get(one, ("", ""))[0] == owner[0] for one in sockets)
            if len(sockets) >= self._max_sessions or of_tenant >= self._max_of_tenant:
                return Unavailable("Too many sessions are open.", code="too_many_streams")
            return None
        if self._owners.get(sid, owner) != owner:
            return Forbidden("This session is another sender's.", code="session_not_yours")
        return None

    def _named(self, generate: Any) -> Any:
        def named() -> str:
            beginning = _beginning.get()
            sid = beginning.sid = f"{beginning.token}-{generate()}"
            if len(self._owners) > len(self._server.eio.sockets) + _SLACK:
                alive = self._server.eio.sockets
                self._owners = {one: of for one, of in self._owners.items() if one in alive}
            self._owners[sid] = beginning.owner
            self._expect_client(sid)
            return sid

        return named

    def _ended(self, disconnect: Any) -> Any:
        async def ended(sid: str) -> None:
            # The library waits until the client has taken the last packet, which one that polls
            # no more never does; and a request of that very client may wait for this.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await disconnect(sid)
            self._server.eio.sockets.pop(sid, None)

        return ended

    async def _drop(self, sid: str | None) -> None:
        """End a session whose last packet nobody will read."""
        socket = self._server.eio.sockets.pop(sid, None)
        if socket is not None:
            await socket.close(wait=False, abort=True)
            socket.queue.put_nowait(None)  # For who writes to its WebSocket.

    def _expect_client(self, sid: str) -> None:
        asyncio.get_running_loop().call_later(self._start_s, self._end_empty, sid)

    def _end_empty(self, sid: str) -> None:
        """End a session without a client: it could answer pings, and keep its place, for ever."""
        if sid in self._server.eio.sockets and not self._server.manager.sid_from_eio_sid(sid, "/"):
            ending = asyncio.ensure_future(self._server.eio.disconnect(sid))
            self._leaving.add(ending)
            ending.add_done_callback(self._leaving.discard)

    async def _on_connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        try:
            client = self._connect(SocketIoLine(self._server, sid), environ["asgi.scope"])
        except SpeechgateError as error:
            refused = socketio.exceptions.ConnectionRefusedError
            raise refused(error.detail, {"code": error.code}) from None
        self._clients[sid] = client
        client.begin()

    async def _on_disconnect(self, sid: str, _reason: Any = None) -> None:
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        if socket := self._server.eio.sockets.get(eio_sid):
            # Ends a poll that waits: the library lets it hang until the next ping.
            socket.queue.put_nowait(Packet(NOOP))
            self._expect_client(eio_sid)
        client = self._clients.pop(sid, None)
        if client is not None:
            await client.close()

    async def _on_start(self, sid: str, *given: Any) -> None:
        if client := self._clients.get(sid):
            await client.start(*given)

    async def _on_data(self, sid: str, *given: Any) -> None:
        if client := self._clients.get(sid):
            await client.data(*given)

    async def _on_stop(self, sid: str, *_given: Any) -> None:
        if client := self._clients.get(sid):
            await client.stop()


async def _refuse(scope: Scope, send: Send, error: SpeechgateError) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": FORBIDDEN})
    else:
        await send_problem(scope, send, error)
