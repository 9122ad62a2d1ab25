"""Connections over which a whole request can be sent without anything of its own."""

import asyncio
from typing import Protocol

from gateway.upstream.answer import Answer
from gateway.upstream.connection import Connection
from gateway.upstream.origin import Origin


class Asker(Protocol):
    """Who sent a whole request, and reads the answer if it comes whole."""

    def answered(self, data: bytes) -> None:
        """The first bytes of the answer came; `adopt` leaves them to the connection."""

    def give_up(self) -> None:
        """The answer is late, or does not come: `adopt` is called for what follows."""


class AskedConnection(Connection):
    """A connection that gives the first bytes of an answer to whoever asked for them.

    What they are not enough for is read as any other answer.
    """

    __slots__ = ("_asker",)

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(origin, loop)
        self._asker: Asker | None = None

    # What the asker calls.

    @property
    def tail(self) -> str:
        """End of a request line, and the `host` field."""
        return self._origin.tail

    def ask(self, request: bytes, asker: Asker, deadline: float) -> None:
        """Send a whole request.

        Args:
            request: Head and body.
            asker: Is told the first bytes of the answer.
            deadline: `loop.time()` at which the whole answer must be there.
        """
        self._asker = asker
        self.deadline = deadline
        self._origin.busy.add(self)
        self._transport.write(request)

    def adopt(self, method: str) -> Answer:
        """Read the answer to what was asked as to any other request.

        Args:
            method: Of the request.
        """
        self._asker = None
        answer = self._answer = Answer(self, self._loop)
        self._expect(method, upgrades=False)
        return answer

    def served(self) -> bool:
        """The asker has read the answer; False, and nothing happens, where it may not be whole."""
        if self._transport.get_write_buffer_size():
            return False
        self._asker = None
        self._reused = True
        self._origin.busy.discard(self)
        self._origin.release(self)
        return True

    # What everybody calls.

    def fail(self, error: Exception) -> None:
        """See `Connection`."""
        if self._asker is not None:
            self._asker.give_up()
        super().fail(error)

    def drop(self) -> None:
        """See `Connection`."""
        self._asker = None
        super().drop()

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Bytes of the service."""
        if self._asker is not None:
            self._asker.answered(data)
        else:
            super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        if self._asker is not None:
            self._asker.give_up()
        super().connection_lost(error)
