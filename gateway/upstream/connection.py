"""One connection to a service: one request at a time, its answer parsed as it comes."""

import asyncio
from collections.abc import AsyncIterable
from typing import cast

import httptools

from gateway.upstream.answer import Answer
from gateway.upstream.origin import Origin
from gateway.upstream.protocol import NotSent, UpstreamBroken
from gateway.upstream.reader import SWITCHED, AnswerReader
from gateway.upstream.tunnel import Tunnel
from gateway.upstream.upload import Upload

HIGH_WATER_BYTES = 256 * 1024
MAX_HEAD_BYTES = 64 * 1024
NEVER = float("inf")
_JOIN_BYTES = 16 * 1024


class Connection(AnswerReader):
    """Sends a request and fills an `Answer`; goes back to its origin when both are whole.

    Attributes:
        closed: It takes no request any more.
        deadline: `loop.time()` at which its request must be over.
        idle_since: When it was given back.
        tunnel: What it became after an upgrade.
    """

    __slots__ = (
        "_left",
        "_loop",
        "_origin",
        "_quiet",
        "_reused",
        "_transport",
        "_upload",
        "closed",
        "deadline",
        "idle_since",
        "tunnel",
    )

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._origin = origin
        self._loop = loop
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._upload: Upload | None = None
        self._reused = False
        self._left = 0  # Bytes of a body that pass by the parser.
        self._quiet = 0  # Bytes since the last that were of a body.
        self.closed = False
        self.deadline = NEVER
        self.idle_since = 0.0
        self.tunnel: Tunnel | None = None

    # What the client calls.

    def begin(
        self,
        method: str,
        head: bytes,
        content: tuple[bytes, ...] | AsyncIterable[bytes],
        deadline: float,
        *,
        length: int | None = None,
        upgrades: bool = False,
    ) -> Answer:
        """Send a request.

        Args:
            method: Of the request.
            head: Encoded.
            content: Body.
            deadline: `loop.time()` at which the whole answer must be there.
            length: Declared of a body that comes in parts; None: it is sent in chunks.
            upgrades: A 101 makes this a tunnel.
        """
        answer = self._answer = Answer(self, self._loop)
        self._expect(method, upgrades=upgrades)
        self.deadline = deadline
        self._origin.busy.add(self)
        if not isinstance(content, tuple):
            self._transport.write(head)
            self._upload = Upload(self._transport, content, length, answer)
            self._upload.start(self._uploaded)
        elif not content:
            self._transport.write(head)
        elif len(content) == 1 and len(content[0]) <= _JOIN_BYTES:
            self._transport.write(head + content[0])
        else:
            self._transport.writelines((head, *content))
        return answer

    def fail(self, error: Exception) -> None:
        """Give up on the request."""
        answer, self._answer = self._answer, None
        self.drop()
        if answer is not None:
            if isinstance(error, UpstreamBroken):
                error.replayable = answer.replayable
            answer.fail(error)

    def drop(self) -> None:
        """Close at once."""
        self.closed = True
        self._origin.lose(self)
        self._stop_upload()
        self._transport.abort()

    # What the answer calls.

    def flow(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def abandon(self, answer: Answer) -> None:
        """Nobody wants the rest of the answer."""
        if self._answer is answer:
            self._answer = None
            self.drop()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._origin.opened += 1

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        self.closed = True
        self._parser = None  # It refers to this object.
        origin, answer = self._origin, self._answer
        origin.opened -= 1
        origin.lose(self)
        self._stop_upload()
        if answer is None:
            return
        self._answer = None
        if self._until_end and error is None:
            answer.end()
        elif self._reused and answer.replayable and not answer.status and not self._quiet:
            answer.fail(NotSent("the service closed an idle connection"))
            # The others of its age are about to go, too.
            origin.drop_idle()
        else:
            broken = UpstreamBroken("the service closed the connection")
            broken.__cause__ = error
            broken.replayable = answer.replayable
            answer.fail(broken)

    def pause_writing(self) -> None:
        """The service reads slowly."""
        if self._upload is not None:
            self._upload.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._upload is not None:
            self._upload.resume()

    def data_received(self, data: bytes) -> None:
        """Bytes of the service."""
        answer = self._answer
        if answer is None:
            self.drop()  # Nobody asked for them.
        elif self._left:
            self._pass_on(answer, data)
        else:
            self._parse(answer, data)

    # What this class does with them.

    def _expect(self, method: str, *, upgrades: bool) -> None:
        self._method = method
        self._upgrades = upgrades
        self._complete = self._stray = self._faulty = self._until_end = False
        self._quiet = 0

    def _parse(self, answer: Answer, data: bytes) -> None:
        before, had_head = answer.received, answer.status
        try:
            self._parser.feed_data(data)  # type: ignore[union-attr]
        except httptools.HttpParserUpgrade as upgrade:
            self._switched(answer, data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            if not self._complete or answer.status == SWITCHED:
                self._break_off("the service does not speak HTTP/1.1", error)
                return
            self._stray = True
        if self._faulty:
            self._break_off("the transfer coding of the answer is not known")
        elif not had_head and len(data) > MAX_HEAD_BYTES and _size(answer) > MAX_HEAD_BYTES:
            self._break_off("the head of the answer is too large")
        elif self._complete:
            self._finish(answer)
        elif answer.received == before:
            self._quiet += len(data)
            if self._quiet > MAX_HEAD_BYTES:
                self._break_off("the head of the answer is too large")
        else:
            self._quiet = 0
            if self._length is not None:
                # Nothing is left to parse: the rest needs no copy.
                self._left = self._length - answer.received
            self._hold_back(answer)

    def _pass_on(self, answer: Answer, data: bytes) -> None:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            answer.feed(data)
            self._hold_back(answer)
            return
        if left < 0:
            self._stray = True
            data = data[:left]
        self._left = 0
        self._renew = True
        answer.feed(data)
        self._finish(answer)

    def _hold_back(self, answer: Answer) -> None:
        if answer.buffered > HIGH_WATER_BYTES and not answer.held:
            answer.held = True
            self._transport.pause_reading()

    def _finish(self, answer: Answer) -> None:
        """The answer is whole; so is the request, or the service does not want the rest."""
        self._answer = None
        if (
            not self._keep
            or self._stray
            or answer.held
            or self._upload is not None
            or self._transport.get_write_buffer_size()
        ):
            self.drop()
        else:
            self._origin.busy.discard(self)
            self._reused = True
            if self._renew:
                self._renew = False
                self._parser = httptools.HttpResponseParser(self)
            self._origin.release(self)
        answer.end()

    def _break_off(self, why: str, cause: Exception | None = None) -> None:
        broken = UpstreamBroken(why)
        broken.__cause__ = cause
        self.fail(broken)

    def _switched(self, answer: Answer, rest: bytes) -> None:
        if answer.status != SWITCHED:
            self._break_off("the service switched protocols unasked")
            return
        origin = self._origin
        self._answer = None
        self.closed = True
        self._parser = None
        origin.lose(self)
        self.tunnel = Tunnel(self._transport, origin, answer.status, answer.headers, rest)
        answer.end()

    def _uploaded(self, error: Exception | None) -> None:
        self._upload = None
        if error is not None:
            self.fail(error)

    def _stop_upload(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.stop()


def _size(answer: Answer) -> int:
    return sum(len(name) + len(value) + 4 for name, value in answer.headers)
