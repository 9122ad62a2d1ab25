"""One client connection: requests in, answers out, in order."""

import asyncio
from collections import deque
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from gateway.server.body import ClientLeft, RequestBody, timed_out
from gateway.server.channel import NEVER, Passenger
from gateway.server.pace import BodyPace
from gateway.server.reader import RequestReader
from gateway.server.request import Request, unreadable
from gateway.server.response import CONTINUE
from gateway.server.service import HeadTimeout, HttpService
from gateway.server.shortcut import Begun
from shared.asgi.body import RequestTimeout
from shared.logging import get_logger
from shared.problem import SpeechgateError

_logger = get_logger(__name__)


class HttpConnection(RequestReader):
    """Answers requests in the order in which they came.

    The arguments are those that `uvicorn.Server` gives; `app_state["http"]` is an `HttpService`.
    """

    def __init__(
        self,
        config: Config,  # noqa: ARG002 - uvicorn's calling convention
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._service: HttpService = app_state["http"]
        super().__init__(self._service.limits, _loop or asyncio.get_running_loop())
        self._server_state = server_state
        self._pace = BodyPace(self._limits)
        self._answering: Request | None = None
        self._waiting: deque[Request] = deque()
        self._early = b""
        self._ending = False
        self.idle_timeout_s = self._limits.idle_timeout_s

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        super().connection_made(transport)
        connections = self._service.connections
        if len(connections) >= self._limits.max_connections:
            self.abort()
            return
        connections.add(self)
        self._server_state.connections.add(self)  # type: ignore[arg-type] # counts them
        self.deadline = self.loop.time() + self._limits.head_timeout_s

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        super().connection_lost(error)
        if self.shortcut is not None:
            self.shortcut.lost()
            self.shortcut = None
        self._service.connections.discard(self)
        self._server_state.connections.discard(self)
        answering = self._answering
        for request in (self._receiving, answering, *self._waiting):
            if request is not None and not request.body.ended:
                request.body.fail(ClientLeft())
        self._waiting.clear()
        if answering is not None and not answering.finished:
            answering.leave()
            if answering.begun is not None:  # Nobody began to go on with it.
                answering.begun.drop(answering)
        # They refer to this object: a body would wait for the garbage collector.
        self._answering = self._receiving = None

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self.shortcut is None and not (self._fed or self._draining):
            self.shortcut = self._service.recognize(self, data)
        if self.shortcut is not None and self.shortcut.take(data):
            return
        if self.passenger is not None:
            self.passenger.received(data)
            return
        if self._answering is not None and self._answering.upgrades:
            self._keep_early(data)
            return
        if not self._read(data):
            return
        answering = self._answering
        if answering is not None and self.deadline is NEVER and not answering.body.ended:
            self._watch_body()

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._watch_body()

    # What the reader finds.

    def _head_began(self) -> None:
        if self._answering is None:
            self.deadline = self.loop.time() + self._limits.head_timeout_s

    def _arrived(self, request: Request) -> None:
        if self._answering is None:
            self._begin(request)
        else:
            # Pipelined: answered in turn. No more is read meanwhile.
            self._waiting.append(request)
            self.pause_reading()

    def _body_ended(self, request: Request) -> None:
        if request is self._answering:
            if self._drained is None:
                self.deadline = NEVER
            if request.finished:
                self._after(request)

    # What requests and bodies call.

    def hold(self) -> None:
        """Read no more of a body for now."""
        if self._drained is None:
            self.deadline = NEVER
        self.pause_reading()

    def flow(self) -> None:
        """Read on."""
        if not self._waiting:
            self.resume_reading()
            self._watch_body()

    def send_continue(self) -> None:
        """Tell the client to send the body."""
        self.write(CONTINUE)
        self._watch_body()

    def take_over(self, passenger: Passenger) -> None:
        """Give the connection's bytes to somebody else, for good."""
        super().take_over(passenger)
        if self._early:
            passenger.received(self._early)
            self._early = b""

    def take_back(self, data: bytes, begun: Begun, arrived: float) -> None:
        """Answer what a short cut has left.

        Args:
            data: The request, and what came behind it.
            begun: What was done for it.
            arrived: When it came.
        """
        self.shortcut = None
        self.resume_reading()
        self._read(data)
        request = self._answering
        if request is None:
            raise RuntimeError("what a short cut took was no request")
        request.begun, request.arrived = begun, arrived
        if self._ending:
            self._wait_for(request)

    # What the server and the sweeper call.

    @property
    def idle(self) -> bool:
        """Whether it waits for a request."""
        busy = self.shortcut is not None and self.shortcut.busy
        return self.passenger is None and self._answering is None and not busy

    def linger(self) -> None:
        """Tell with the next answer that it is the last one."""
        self._draining = True
        if self.shortcut is not None:
            self.shortcut.give_up()
        if self._answering is not None:
            self._answering.keep_alive = False

    def shutdown(self) -> None:
        """Finish what is in flight, then close."""
        self._ending = True
        self.linger()
        if self.passenger is not None:
            self.passenger.drain()
        elif self.idle:
            self.close()
        elif self._answering is not None:
            self._wait_for(self._answering)

    def check(self, now: float) -> None:
        """Act on a deadline that has passed."""
        request = self._answering
        if self.passenger is not None or self._drained is not None:
            super().check(now)
        elif request is None:
            if self._in_head:
                self._reject(HeadTimeout("The head of the request did not arrive in time."))
            else:
                self.close()
        elif request.finished:
            self.close()  # It lingered long enough.
        elif not request.body.awaited:
            self.deadline = NEVER
        elif self._pace.is_late(request.body, now):
            self.deadline = NEVER
            request.keep_alive = False
            request.body.fail(timed_out())
        else:
            self.deadline = now

    def _wait_for(self, request: Request) -> None:
        """Have the server wait for an answer, and cancel it when its patience ends."""
        if request.task is not None and not request.task.done():
            self._server_state.tasks.add(request.task)
            request.task.add_done_callback(self._server_state.tasks.discard)

    def _watch_body(self) -> None:
        request = self._answering
        if self._drained is not None:
            return
        if request is not None and not request.finished:
            if request.body.awaited:
                self.deadline = self.loop.time()
                self._pace.start(request.body, self.deadline)
            else:
                self.deadline = NEVER

    def _keep_early(self, data: bytes) -> None:
        """Bytes that came before an upgrade was agreed to; they belong to the new protocol."""
        self._early += data
        if len(self._early) > self._limits.max_head_bytes:
            self.abort()

    def _begin(self, request: Request) -> None:
        self._answering = request
        self.deadline = NEVER
        request.task = self.loop.create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            await self._service.dispatch(request)
        except ClientLeft:
            pass
        except Exception as error:
            _logger.error("unhandled error", exc_info=error)
            if not request.started:
                self._service.refuse(request, SpeechgateError("Something went wrong on our side."))
        finally:
            # Cycles with frames would keep the body until the garbage collector comes.
            request.task = None
            if request.body.error is not None:
                request.body.error.__traceback__ = None
            if self.passenger is None and not self.closed:
                self._after(request)

    def _after(self, request: Request) -> None:
        """The request was answered, as far as it will be."""
        if self._answering is not request:
            return
        if not request.finished:
            # The client must not take half an answer for a whole one.
            self.abort()
        elif not request.body.ended:
            self._let_rest_pass(request)
        else:
            self._answering = None
            if self._draining or not request.keep_alive:
                self.close()
            elif self._waiting:
                self._begin(self._waiting.popleft())
                if not self._waiting:
                    self.resume_reading()
            else:
                wait = self._limits.head_timeout_s if self._in_head else self.idle_timeout_s
                self.deadline = self.loop.time() + wait
                if self._drained is None and not self._in_head:
                    self.shortcut = request.shortcut

    def _let_rest_pass(self, request: Request) -> None:
        """Read and drop what a client still sends of a refused body.

        A reset could take the answer away from a client that is still writing.
        """
        if request.body.owes_continue or isinstance(request.body.error, RequestTimeout):
            self.close()
        elif not request.body.discarding:
            request.body.discard()
            self.deadline = self.loop.time() + self._limits.linger_s

    def _reject(self, error: SpeechgateError) -> None:
        """Answer what cannot be read as a request, and close."""
        if self._answering is None and not self._draining:
            self._service.refuse(unreadable(self, RequestBody(self)), error)
        self.close()
