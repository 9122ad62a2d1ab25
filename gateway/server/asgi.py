"""ASGI for the requests that an application answers (https://asgi.readthedocs.io/)."""

import asyncio
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from gateway.server.body import ClientLeft, timed_out
from gateway.server.request import Request
from gateway.server.response import Header

_REQUEST_TIMEOUT = 408


class AsgiExchange:
    """One request and its answer, as `receive` and `send`."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._head: tuple[int, list[Header]] | None = None
        self._body_told = False
        # An application hears of a client that leaves; it is not cancelled.
        self._left = request.left = asyncio.get_running_loop().create_future()

    async def run(self, app: ASGIApp, state: dict[str, Any]) -> None:
        """Let an application answer.

        Args:
            app: The application.
            state: What its lifespan yielded; copied.
        """
        await app(self._scope(state), self._receive, self._send)

    def _scope(self, state: dict[str, Any]) -> dict[str, Any]:
        request = self._request
        declared = dict(request.headers)
        length = declared.get(b"content-length", b"")
        request.body.declare(int(length) if length.isdigit() else None, declared.get(b"expect"))
        path, _, query = request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.version,
            "server": request.channel.server,
            "client": request.channel.client,
            "scheme": "http",
            "root_path": "",
            "method": request.method,
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "headers": request.headers,
            "state": state.copy(),
        }

    async def _receive(self) -> Message:
        body = self._request.body
        if not self._body_told:
            try:
                part = await body.read()
            except ClientLeft:
                return {"type": "http.disconnect"}
            self._body_told = body.ended and not body.buffered
            return {"type": "http.request", "body": part, "more_body": not self._body_told}
        await self._left
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        request = self._request
        if message["type"] == "http.response.start":
            self._head = message["status"], list(message.get("headers", ()))
            if message["status"] == _REQUEST_TIMEOUT:
                # RFC 9110 §15.5.9: the connection ends, whatever the client still sends.
                request.keep_alive = False
                request.body.fail(timed_out())
            return
        part, more = message.get("body", b""), message.get("more_body", False)
        if self._head is not None:
            status, headers = self._head
            self._head = None
            framed = self._frame(headers)
            if not more and framed:
                request.respond(status, headers, part)
                return
            request.start(status, headers, framed=framed)
        request.write(part)
        if more:
            await request.channel.drain()
        else:
            request.finish()

    def _frame(self, headers: list[Header]) -> bool:
        """Take out what the server says itself; whether the length is stated."""
        framed = False
        for field in headers[:]:
            name = field[0]
            if name == b"content-length":
                framed = True
            elif name == b"connection" and field[1].lower() == b"close":
                self._request.keep_alive = False
                headers.remove(field)
            elif name in (b"transfer-encoding", b"date"):
                headers.remove(field)
        return framed
