"""One Socket.IO client: the events of either dialect mapped to a stream."""

import asyncio
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Scope

from services.asr.handlers.common import INFER
from services.asr.handlers.socketio_dialects import Ai4iDialect, DhruvaDialect, Dialect, Query
from services.asr.streaming.events import Done, Event, Failed, Partial
from services.asr.streaming.service import StreamService
from services.asr.streaming.session import StreamSession
from services.asr.streaming.spans import note_event
from shared.asgi.socketio_line import SocketIoLine
from shared.asgi.stream_caller import stream_caller
from shared.problem import SpeechgateError
from shared.streams import (
    already_started,
    idle,
    invalid_start,
    no_start,
    not_started,
    slow_reader,
)

_FEW, _MANY = 32, 512
_MOST_FIELDS = 50


class Client:
    """A connected client, with a stream from `start` on.

    Args:
        line: To the client.
        scope: Of the request that began it.

    Raises:
        Forbidden: The sender may not recognize speech.
        StreamRefused: The query has too many fields.
    """

    def __init__(self, line: SocketIoLine, scope: Scope) -> None:
        self._line = line
        self._caller = stream_caller(scope, INFER)
        self._service: StreamService = scope["state"]["context"].streams
        query = scope["query_string"].decode("latin-1")
        try:
            self._query: Query = dict(parse_qsl(query, max_num_fields=_MOST_FIELDS))
        except ValueError:
            # Anything else than a refusal would leave the client connected, and waiting for ever.
            raise invalid_start("The query has too many fields.") from None
        self._dialect: Dialect = Ai4iDialect(self._query)
        self._session: StreamSession | None = None
        self._heard_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Wait for `start`."""
        self._tasks.append(asyncio.create_task(self._watch()))

    async def start(self, *given: Any) -> None:
        """`start`: a list of tasks is Dhruva's, anything else ai4i's."""
        if given and isinstance(given[0], list):
            self._dialect = DhruvaDialect(self._query)
        try:
            if self._session is not None:
                raise already_started()
            options = self._dialect.options(*given)
            self._session = await self._service.open(options, self._caller)
        except SpeechgateError as error:
            await self._end(error)
            return
        self._heard_at = time.monotonic()
        self._tasks.append(asyncio.create_task(self._tell(self._session)))

    async def data(self, *given: Any) -> None:
        """`data`: audio, and what to do after it. Returns when more may come."""
        session = self._session
        if session is None:
            await self._end(not_started())
            return
        try:
            found = self._dialect.data(*given)
            self._heard_at = time.monotonic()
            if found.audio:
                await session.feed(found.audio)
        except SpeechgateError as error:
            session.fail(error)
            return
        if found.stop:
            session.stop()
        elif found.flush:
            session.flush()

    async def stop(self) -> None:
        """`stop`: settle what came, then end."""
        if self._session is not None:
            self._session.stop()

    async def close(self) -> None:
        """The client is gone."""
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if self._session is not None:
            await self._session.close()

    async def _watch(self) -> None:
        """End a client that sends nothing."""
        limits = self._service.limits
        while True:
            longest = limits.start_s if self._session is None else limits.idle_s
            left = self._heard_at + longest - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
            elif self._session is None:
                await self._end(no_start())
                return
            else:
                self._session.fail(idle("audio"))
                return

    async def _tell(self, session: StreamSession) -> None:
        """Pass on events; disconnects after the last one."""
        async for event in session.outbox:
            waiting = self._line.waiting()
            if waiting > _MANY:
                session.fail(slow_reader())
                break
            if isinstance(event, Partial) and waiting > _FEW:
                continue
            await self._pass_on(session, event)
        await self._disconnect()

    async def _pass_on(self, session: StreamSession, event: Event) -> None:
        if isinstance(event, Done):
            await self._line.emit("terminate")
        elif isinstance(event, Failed):
            await self._line.emit(*self._dialect.failed(event.code, event.detail))
        else:
            for name, *values in self._dialect.told(event, session.work.language):
                await self._line.emit(name, *values)
        note_event(event)
        if isinstance(event, Partial):
            lag = time.monotonic() - event.arrived
            self._service.monitor.partial(session.work.model, lag)

    async def _end(self, error: SpeechgateError) -> None:
        """Refuse, and disconnect."""
        await self._line.emit(*self._dialect.failed(error.code, error.detail))
        if self._session is not None:
            self._session.fail(error)
        else:
            await self._disconnect()

    async def _disconnect(self) -> None:
        await self._line.disconnect(self._service.limits.slow_s)
