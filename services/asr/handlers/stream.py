"""`/api/v1/asr/stream` and `/ws/audio`: recognition while people speak, over a WebSocket.

The client sends `start`, then audio in binary messages, `flush` where it wants to, and `stop`.
"""

import asyncio
import time
from typing import Any

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from services.asr.handlers.common import INFER
from services.asr.schemas.stream import StartMessage
from services.asr.streaming.errors import INVALID_DATA, StreamRefused, close_code, idle, slow_reader
from services.asr.streaming.events import Event, Failed, Partial
from services.asr.streaming.service import StreamService
from services.asr.streaming.session import StreamSession
from shared.asgi.stream_caller import stream_caller
from shared.caller import Caller
from shared.jsonbody import parse_json_object
from shared.problem import BadRequest, Forbidden, SpeechgateError

router = APIRouter()
_FORBIDDEN = 4403


@router.websocket("/api/v1/asr/stream")
@router.websocket("/ws/audio")
async def stream(websocket: WebSocket) -> None:
    """Serve one stream."""
    try:
        caller = stream_caller(websocket.scope, INFER)
    except Forbidden:
        await websocket.close(_FORBIDDEN)
        return
    await websocket.accept()
    # The lifespan's context; importing its type would point up a layer.
    service: StreamService = websocket.state.context.streams
    try:
        await _Connection(websocket, service).serve(caller)
    except (WebSocketDisconnect, RuntimeError):
        # Starlette raises either where the client is gone already.
        return


class _Connection:
    """One client."""

    def __init__(self, websocket: WebSocket, service: StreamService) -> None:
        self._websocket = websocket
        self._service = service
        self._limits = service.limits

    async def serve(self, caller: Caller) -> None:
        """From `start` to the close frame."""
        try:
            options = StartMessage.read(await self._start())
            session = await self._service.open(options, caller)
        except SpeechgateError as error:
            await self._send(Failed(error.code, error.detail))
            await self._websocket.close(close_code(error))
            return
        receiving = asyncio.create_task(self._receive(session))
        sending = asyncio.create_task(self._tell(session))
        try:
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (receiving, sending):
                task.cancel()
            await asyncio.gather(receiving, sending, session.close(), return_exceptions=True)

    async def _start(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._limits.start_s):
                message = await self._next()
        except TimeoutError:
            raise StreamRefused("No start message came.", "start_timeout") from None
        if isinstance(message, bytes):
            raise StreamRefused("The first message is start.", "not_started")
        if message.get("type") != "start":
            raise StreamRefused("The first message is start.", "not_started")
        return message

    async def _receive(self, session: StreamSession) -> None:
        """Pass on what the client sends; returns when the client is gone."""
        while True:
            try:
                await self._pass_on(session)
            except SpeechgateError as error:
                session.fail(error)
                # Events that are on their way are still told; nothing more is read.
                await session.ended()
                await asyncio.sleep(self._limits.slow_s)

    async def _pass_on(self, session: StreamSession) -> None:
        try:
            async with asyncio.timeout(self._limits.idle_s):
                message = await self._next()
        except TimeoutError:
            raise idle() from None
        if isinstance(message, bytes):
            await session.feed(message)
            return
        match message.get("type"):
            case "flush":
                session.flush()
            case "stop":
                session.stop()
                # What follows is not ours to judge: only its end matters.
                while True:
                    await self._next()
            case "start":
                raise StreamRefused("The stream has begun already.", "already_started")
            case _:
                raise StreamRefused("There is no such message.", "invalid_message")

    async def _next(self) -> bytes | dict[str, Any]:
        """The next message.

        Raises:
            WebSocketDisconnect: There is none.
            StreamRefused: It is no JSON object.
        """
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        data = message.get("bytes")
        if data is not None:
            return bytes(data)
        try:
            return parse_json_object(message["text"].encode())
        except BadRequest as error:
            raise StreamRefused(error.detail, "invalid_json", INVALID_DATA) from error

    async def _tell(self, session: StreamSession) -> None:
        """Send events; closes the connection after the last one."""
        async for event in session.outbox:
            try:
                async with asyncio.timeout(self._limits.slow_s):
                    await self._send(event)
            except TimeoutError:
                session.fail(slow_reader())
                await session.ended()
                return
            if isinstance(event, Partial):
                lag = time.monotonic() - event.arrived
                self._service.monitor.partial(session.work.model, lag)
        await self._websocket.close(session.close_code)

    async def _send(self, event: Event) -> None:
        await self._websocket.send_text(orjson.dumps(event.document()).decode())
