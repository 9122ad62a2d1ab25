"""`/socket.io`: sessions of python-socketio behind the gateway.

A session's id begins with the token that the gateway gave this replica, so that any gateway finds
it again, and only who began a session may go on with it.
"""

import asyncio
import re
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

import socketio
from engineio.packet import NOOP, Packet
from engineio.payload import Payload
from starlette.types import Receive, Scope, Send

from services.asr.handlers.socketio_client import Client
from shared.asgi.context import header
from shared.asgi.errors import send_problem
from shared.identity import Identity
from shared.logging import get_logger
from shared.problem import Forbidden, SpeechgateError, Unavailable

PATH = "/socket.io"
_TOKEN = re.compile(r"[0-9A-Za-z]{1,16}", re.ASCII)
_NO_TOKEN = "local"  # noqa: S105 - not a secret: begun without a gateway
_SLACK = 16
_CLOSE_S = 2.0
# The library's 16 are fewer than a client queues up in one round trip; the body is bounded.
Payload.max_decode_packets = 1_024
_logger = get_logger(__name__)
_Owner = tuple[str, str]
_beginning: ContextVar[tuple[str, _Owner]] = ContextVar("socketio_beginning")


class SocketIoApp:
    """An ASGI application.

    Args:
        max_bytes: Largest message.
        max_sessions: Open at once, whether they stream or not.
    """

    def __init__(self, max_bytes: int, max_sessions: int) -> None:
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            # One after the other: audio has an order, and a client that is held back waits.
            async_handlers=False,
            # The gateway's: credentials are in headers or the query, never in cookies.
            cors_allowed_origins=[],
            max_http_buffer_size=max_bytes,
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        self._max_sessions = max_sessions
        self._owners: dict[str, _Owner] = {}
        self._clients: dict[str, Client] = {}
        self._server.eio.generate_id = self._named(self._server.eio.generate_id)
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
        _beginning.set((token if _TOKEN.fullmatch(token) else _NO_TOKEN, owner))
        try:
            await self._server.handle_request(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - whatever a malformed packet makes the library raise
            _logger.warning("a socket.io connection broke", error=type(error).__name__)
            if sid is not None:
                await self._server.eio.disconnect(sid)

    async def drain(self) -> None:
        """The process ends: close what is open."""
        closing = [
            asyncio.ensure_future(self._server.eio.disconnect(sid))
            for sid in list(self._server.eio.sockets)
        ]
        if closing:
            # A client that does not poll any more would never take its last packet.
            await asyncio.wait(closing, timeout=_CLOSE_S)
            for one in closing:
                one.cancel()
        await self._server.shutdown()

    def _refusal(self, sid: str | None, owner: _Owner) -> SpeechgateError | None:
        sockets = self._server.eio.sockets
        if sid is None:
            if len(sockets) >= self._max_sessions:
                return Unavailable("Too many sessions are open.", code="too_many_streams")
            return None
        if self._owners.get(sid, owner) != owner:
            return Forbidden("This session is another sender's.", code="session_not_yours")
        return None

    def _named(self, generate: Any) -> Any:
        def named() -> str:
            token, owner = _beginning.get()
            sid = f"{token}-{generate()}"
            if len(self._owners) > len(self._server.eio.sockets) + _SLACK:
                alive = self._server.eio.sockets
                self._owners = {one: of for one, of in self._owners.items() if one in alive}
            self._owners[sid] = owner
            return sid

        return named

    async def _on_connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        try:
            client = Client(self._server, sid, environ["asgi.scope"])
        except SpeechgateError as error:
            refused = socketio.exceptions.ConnectionRefusedError
            raise refused({"message": error.detail, "code": error.code}) from None
        self._clients[sid] = client
        client.begin()

    async def _on_disconnect(self, sid: str, _reason: Any = None) -> None:
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        if socket := self._server.eio.sockets.get(eio_sid):
            # Ends a poll that waits: the library lets it hang until the next ping.
            socket.queue.put_nowait(Packet(NOOP))
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
        await send({"type": "websocket.close", "code": 4403})
    else:
        await send_problem(scope, send, error)
