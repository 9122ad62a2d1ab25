"""`/api/v1/asr/stream` and `/ws/audio`: recognition while people speak, over a WebSocket.

The client sends `start`, then audio in binary messages, `flush` where it wants to, and `stop`.
"""

import asyncio
import time

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from services.asr.handlers.common import INFER
from services.asr.schemas.stream import StartMessage
from services.asr.streaming.events import Event, Failed, Partial
from services.asr.streaming.service import StreamService
from services.asr.streaming.session import StreamSession
from services.asr.streaming.spans import note_event
from shared.asgi.stream_caller import stream_caller
from shared.asgi.websocket import next_message, start_message
from shared.caller import Caller
from shared.problem import Forbidden, SpeechgateError
from shared.streams import (
    FORBIDDEN,
    StreamRefused,
    already_started,
    close_code,
    idle,
    slow_reader,
)

router = APIRouter()


@router.websocket("/api/v1/asr/stream")
@router.websocket("/ws/audio")
async def stream(websocket: WebSocket) -> None:
    """Serve one stream."""
    try:
        caller = stream_caller(websocket.scope, INFER)
    except Forbidden:
        await websocket.close(FORBIDDEN)
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
            start = await start_message(self._websocket, self._limits.start_s)
            options = StartMessage.read(start)
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
                message = await next_message(self._websocket)
        except TimeoutError:
            raise idle("audio") from None
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
                    await next_message(self._websocket)
            case "start":
                raise already_started()
            case _:
                raise StreamRefused("There is no such message.", "invalid_message")

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
        note_event(event)
