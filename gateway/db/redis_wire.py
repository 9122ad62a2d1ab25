"""A lean connection to Redis for what every request needs.

Commands are bytes that the caller has encoded, answers go to callbacks in the order of the
commands. One coarse timer bounds all waits: a timer per call costs more than the call. A
connection that was late once is dropped with all it owes, so a late answer has no one to reach.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import hiredis
from redis.asyncio.connection import SSLConnection, parse_url

Callback = Callable[[Any], None]
"""Takes the answer; an exception when there is none, or when Redis refused the command."""
Greeting = Callable[["Session"], Awaitable[None]]

CHECK_S = 0.01
_INCOMPLETE = object()


def encode(*arguments: bytes) -> bytes:
    """A command in RESP."""
    parts = [b"*%d\r\n" % len(arguments)]
    parts += [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in arguments]
    return b"".join(parts)


@dataclass(frozen=True)
class Address:
    """Where Redis is and how to get in.

    Attributes:
        path: Of a Unix socket; None for TCP.
        login: Commands that open the session.
    """

    host: str
    port: int
    path: str | None
    tls: ssl.SSLContext | None
    login: tuple[bytes, ...]

    @classmethod
    def parse(cls, url: str) -> "Address":
        """From `redis://`, `rediss://` or `unix://`, with the options of redis-py."""
        options: dict[str, Any] = dict(parse_url(url))
        login = []
        user, password = options.get("username"), options.get("password")
        if password:
            credentials = (user, password) if user else (password,)
            login.append(encode(b"AUTH", *(part.encode() for part in credentials)))
        if options.get("db"):
            login.append(encode(b"SELECT", b"%d" % options["db"]))
        tls = None
        if options.get("connection_class") is SSLConnection:
            tls = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
            if options.get("ssl_certfile"):
                tls.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
            if options.get("ssl_cert_reqs") == "none":
                tls.check_hostname = False
                tls.verify_mode = ssl.CERT_NONE
        return cls(
            options.get("host", "localhost"),
            options.get("port", 6379),
            options.get("path"),
            tls,
            tuple(login),
        )


class Session(asyncio.Protocol):
    """One connection while it lasts."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._transport: asyncio.WriteTransport | None = None
        self._owed: deque[tuple[float, Callback]] = deque()
        self.lost: BaseException | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand out whole answers."""
        if self.lost is not None:
            return
        try:
            self._reader.feed(data)
            answer = self._reader.gets()
            while answer is not _INCOMPLETE:
                self._owed.popleft()[1](answer)
                answer = self._reader.gets()
        except (hiredis.ProtocolError, IndexError) as error:  # Garbage, or more than was asked.
            self.drop(ConnectionError(f"Redis sent {type(error).__name__}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever is owed is not coming."""
        self.drop(exc or ConnectionError("Redis closed the connection"))

    def send(self, command: bytes, callback: Callback, deadline: float) -> None:
        """Send a command; the callback is called exactly once."""
        if self.lost is not None or self._transport is None:
            callback(self.lost or ConnectionError("not connected"))
            return
        self._owed.append((deadline, callback))
        self._transport.write(command)

    async def call(self, command: bytes) -> Any:
        """One answer.

        Raises:
            hiredis.ReplyError: Redis refused the command.
            OSError: The connection was lost or is late.
        """
        done = self._loop.create_future()

        def settle(answer: object) -> None:
            if not done.done():
                done.set_result(answer)

        self.send(command, settle, self._loop.time() + self._timeout_s)
        answer = await done
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def late(self, now: float) -> bool:
        """Whether the oldest answer is overdue."""
        return bool(self._owed) and self._owed[0][0] <= now

    @property
    def idle(self) -> bool:
        """Whether nothing is owed."""
        return not self._owed

    def drop(self, error: BaseException) -> None:
        """Close at once and tell everybody who waits."""
        if self.lost is not None:
            return
        self.lost = error
        if self._transport is not None:
            self._transport.abort()
        owed, self._owed = self._owed, deque()
        for _, callback in owed:
            callback(error)


class RedisWire:
    """Keeps one session open while it is used.

    Args:
        url: Where Redis is.
        timeout_s: Longest wait for an answer or a connection.
        greet: Awaited with each new session before anything else is sent over it.
    """

    def __init__(self, url: str, *, timeout_s: float, greet: Greeting) -> None:
        self._address = Address.parse(url)
        self._timeout_s = timeout_s
        self._greet = greet
        self._session: Session | None = None
        self._opening: asyncio.Task[None] | None = None
        self._new: Session | None = None
        self._queued: deque[tuple[float, bytes, Callback]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._spared = False

    def send(self, command: bytes, callback: Callback) -> None:
        """Send a command, over a new session if need be; the callback is called exactly once."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        session = self._session
        if session is not None and session.lost is None:
            session.send(command, callback, deadline)
        else:
            self._queued.append((deadline, command, callback))
            if self._opening is None:
                self._opening = loop.create_task(self._open(), name="redis-wire")
        if self._timer is None:
            self._watch(loop)

    def drop(self, error: BaseException) -> None:
        """Use another session from now on; what this one owes fails."""
        if self._session is not None:
            self._session.drop(error)

    async def close(self) -> None:
        """Drop the session."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        self._fail(ConnectionError("closed"))
        self.drop(ConnectionError("closed"))

    async def _open(self) -> None:
        session = self._new = Session(self._timeout_s)
        problem: BaseException | None = ConnectionError("interrupted")
        try:
            await self._establish(session)
            problem = None
        except (hiredis.HiredisError, OSError) as error:
            problem = error
        finally:
            self._opening = self._new = None
            if problem is None:
                self._session = session
                while self._queued:
                    deadline, command, callback = self._queued.popleft()
                    session.send(command, callback, deadline)
            else:
                session.drop(problem)
                self._fail(problem)

    async def _establish(self, session: Session) -> None:
        address, loop = self._address, asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout_s):
            if address.path is not None:
                await loop.create_unix_connection(lambda: session, address.path)
            else:
                await loop.create_connection(
                    lambda: session, address.host, address.port, ssl=address.tls
                )
        for command in address.login:
            await session.call(command)
        await self._greet(session)

    def _fail(self, error: BaseException) -> None:
        queued, self._queued = self._queued, deque()
        for _, _, callback in queued:
            callback(error)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + CHECK_S
        self._timer = loop.call_at(self._due, self._check, loop)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        """Drop what is late, and look again as long as anything is owed."""
        now = loop.time()
        sessions = [session for session in (self._session, self._new) if session is not None]
        # When the loop itself was held up, answers may lie unread: they get one more turn.
        self._spared = now - self._due > CHECK_S and not self._spared
        if not self._spared:
            for session in sessions:
                if session.late(now):
                    session.drop(TimeoutError("Redis did not answer in time"))
            while self._queued and self._queued[0][0] <= now:
                self._queued.popleft()[2](TimeoutError("no connection to Redis in time"))
        if self._opening or self._queued or any(not session.idle for session in sessions):
            self._watch(loop)
        else:
            self._timer = None
