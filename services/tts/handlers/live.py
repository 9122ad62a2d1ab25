"""`/api/v1/tts/stream` as a WebSocket: text in pieces, audio out while it is made.

The client sends `start`, then `text`, `flush` where it wants to hear all that came, and `stop`. It
receives events as JSON, and audio in binary messages.
"""

import asyncio

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from services.tts.handlers.stream import PATH
from services.tts.schemas.live import StartMessage, TextMessage
from services.tts.schemas.stream import times_of
from services.tts.streaming.events import Audio, Event, Failed
from services.tts.streaming.service import LiveService
from services.tts.streaming.session import LiveSession
from services.tts.streaming.spans import note_event
from shared.asgi.stream_caller import stream_caller
from shared.asgi.websocket import next_message, start_message
from shared.caller import Caller
from shared.problem import Forbidden, SpeechgateError
from shared.streams import FORBIDDEN, StreamRefused, already_started, close_code, slow_reader

router = APIRouter()


@router.websocket(PATH)
async def live(websocket: WebSocket) -> None:
    """Serve one stream."""
    try:
        caller = stream_caller(websocket.scope, "tts:infer")
    except Forbidden:
        await websocket.close(FORBIDDEN)
        return
    await websocket.accept()
    # The lifespan's context; importing its type would point up a layer.
    service: LiveService = websocket.state.context.live
    try:
        await _Connection(websocket, service).serve(caller)
    except (WebSocketDisconnect, RuntimeError):
        # Starlette raises either where the client is gone already.
        return


class _Connection:
    """One client."""

    def __init__(self, websocket: WebSocket, service: LiveService) -> None:
        self._websocket = websocket
        self._service = service
        self._limits = service.limits

    async def serve(self, caller: Caller) -> None:
        """From `start` to the close frame."""
        try:
            start = StartMessage.read(await start_message(self._websocket, self._limits.start_s))
            session = self._service.open(start.order(), caller)
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

    async def _receive(self, session: LiveSession) -> None:
        """Pass on what the client sends; returns when the client is gone."""
        try:
            while await self._pass_on(session):
                pass
        except SpeechgateError as error:
            session.fail(error)
            await session.ended()
        # What follows is not ours to judge: only its end matters.
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def _pass_on(self, session: LiveSession) -> bool:
        """Serve a message; whether more may come."""
        message = await next_message(self._websocket)
        if isinstance(message, bytes):
            raise StreamRefused("Messages of a client are JSON.", "invalid_message")
        match message.get("type"):
            case "text":
                await session.inbox.feed(TextMessage.read(message))
            case "flush":
                await session.inbox.flush()
            case "stop":
                session.inbox.stop()
                return False
            case "start":
                raise already_started()
            case _:
                raise StreamRefused("There is no such message.", "invalid_message")
        return True

    async def _tell(self, session: LiveSession) -> None:
        """Send events; closes the connection after the last one."""
        async for event in session.outbox:
            try:
                async with asyncio.timeout(self._limits.slow_s):
                    await self._send(event)
            except TimeoutError:
                session.fail(slow_reader())
                await session.ended()
                return  # It would not take a close frame either.
        await self._websocket.close(session.close_code)

    async def _send(self, event: Event) -> None:
        note_event(event)
        if not isinstance(event, Audio):
            await self._websocket.send_text(orjson.dumps(event.document()).decode())
            return
        for told in times_of(event.marks, event.words):
            await self._websocket.send_text(orjson.dumps(told).decode())
        if event.content:
            await self._websocket.send_bytes(event.content)
