"""One Socket.IO client of live synthesis: ai4i's events mapped to a stream.

| event | arguments |
|---|---|
| `start` | none |
| `data` | text, whether to speak all that came, whether to end after it |
| `ready`, `terminate` | none |
| `response` | `{audioContent, isFinal, duration, timestamp, format}`: a file |
| `error` | `{error, code, timestamp}`; nothing follows |

Each response holds a passage as a file of its own.
"""

import asyncio
import time
from typing import Any
from urllib.parse import parse_qsl

import pybase64
from starlette.types import Scope

from services.tts.schemas.live import SocketIoQuery
from services.tts.streaming.events import Audio, Done, Event, Failed, Flushed, Ready
from services.tts.streaming.service import LiveService
from services.tts.streaming.session import LiveSession
from services.tts.streaming.spans import note_event
from shared.asgi.socketio_line import SocketIoLine
from shared.asgi.stream_caller import stream_caller
from shared.problem import SpeechgateError
from shared.streams import (
    StreamRefused,
    already_started,
    invalid_start,
    no_start,
    not_started,
    slow_reader,
)

_MOST_FIELDS = 50


class Client:
    """A connected client, with a stream from `start` on.

    Args:
        line: To the client.
        scope: Of the request that began it.

    Raises:
        Forbidden: The sender may not synthesize speech.
        StreamRefused: The query has too many fields.
    """

    def __init__(self, line: SocketIoLine, scope: Scope) -> None:
        self._line = line
        self._caller = stream_caller(scope, "tts:infer")
        self._service: LiveService = scope["state"]["context"].live
        query = scope["query_string"].decode("latin-1")
        try:
            self._query = dict(parse_qsl(query, max_num_fields=_MOST_FIELDS))
        except ValueError:
            # Anything else than a refusal would leave the client connected, and waiting for ever.
            raise invalid_start("The query has too many fields.") from None
        self._session: LiveSession | None = None
        self._format = ""
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Wait for `start`."""
        self._tasks.append(asyncio.create_task(self._watch()))

    async def start(self, *_given: Any) -> None:
        """`start`: text may come after `ready`."""
        try:
            if self._session is not None:
                raise already_started()
            order = SocketIoQuery.read(self._query).order()
            self._session = self._service.open(order, self._caller, apart=True)
        except SpeechgateError as error:
            await self._end(error)
            return
        self._tasks.append(asyncio.create_task(self._tell(self._session)))

    async def data(self, *given: Any) -> None:
        """`data`: text, and what to do after it. Returns when more may come."""
        session = self._session
        if session is None:
            await self._end(not_started())
            return
        text, final, disconnect = (*given[:3], None, None, None)[:3]
        try:
            if text is not None:
                if not isinstance(text, str):
                    raise StreamRefused("data brings a text.", "invalid_message")
                await session.inbox.feed(text)
        except SpeechgateError as error:
            session.fail(error)
            return
        if final is True:
            await session.inbox.flush()
        if disconnect is True:
            session.inbox.stop()

    async def stop(self) -> None:
        """`stop`: speak what came, then end."""
        if self._session is not None:
            self._session.inbox.stop()

    async def close(self) -> None:
        """The client is gone."""
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if self._session is not None:
            await self._session.close()

    async def _watch(self) -> None:
        """End a client that does not start."""
        await asyncio.sleep(self._service.limits.start_s)
        if self._session is None:
            await self._end(no_start())

    async def _tell(self, session: LiveSession) -> None:
        """Pass on events; disconnects after the last one."""
        async for event in session.outbox:
            try:
                # Audio is large: only so much of it may wait as the client takes.
                async with asyncio.timeout(self._service.limits.slow_s):
                    await self._line.taken()
            except TimeoutError:
                session.fail(slow_reader())
                break
            await self._pass_on(event)
        await self._line.disconnect(self._service.limits.slow_s)

    async def _pass_on(self, event: Event) -> None:
        note_event(event)
        if isinstance(event, Ready):
            self._format = event.format
            await self._line.emit("ready")
        elif isinstance(event, Audio):
            await self._respond(event.content, event.seconds, final=event.final)
        elif isinstance(event, Flushed):
            await self._respond(b"", 0.0, final=True)
        elif isinstance(event, Done):
            await self._line.emit("terminate")
        elif isinstance(event, Failed):
            await self._refuse(event.code, event.detail)

    async def _respond(self, content: bytes, seconds: float, *, final: bool) -> None:
        answer = {
            "audioContent": pybase64.b64encode(content).decode("ascii"),
            "isFinal": final,
            "duration": seconds,
            "timestamp": time.time(),
            "format": self._format,
        }
        await self._line.emit("response", answer)

    async def _refuse(self, code: str, detail: str) -> None:
        await self._line.emit("error", {"error": detail, "code": code, "timestamp": time.time()})

    async def _end(self, error: SpeechgateError) -> None:
        """Refuse, and disconnect."""
        if self._session is not None:
            self._session.fail(error)
            return
        await self._refuse(error.code, error.detail)
        await self._line.disconnect(self._service.limits.slow_s)
