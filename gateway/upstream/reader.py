"""The parsing half of a connection to a service."""

import asyncio

import httptools

from gateway.upstream.answer import Answer
from gateway.upstream.protocol import Header

SWITCHED = 101
_FINAL, _BODYLESS = 200, frozenset({204, 304})


class AnswerReader(asyncio.Protocol):
    """Fills an `Answer` with what the parser finds."""

    __slots__ = (
        "_answer",
        "_complete",
        "_faulty",
        "_headers",
        "_keep",
        "_length",
        "_method",
        "_parser",
        "_renew",
        "_stray",
        "_until_end",
        "_upgrades",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._answer: Answer | None = None
        self._headers: list[Header] = []
        self._method = ""
        self._upgrades = False
        self._keep = self._faulty = self._stray = self._renew = False
        self._complete = self._until_end = False
        self._length: int | None = None  # What the answer says of its body's length.

    def on_message_begin(self) -> None:
        """The first byte of an answer."""
        if self._complete:
            self._stray = True
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or a trailer, which nobody sees."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        parser, answer = self._parser, self._answer
        if parser is None or answer is None or self._complete:
            return
        status, headers = parser.get_status_code(), self._headers
        if status < _FINAL and not (status == SWITCHED and self._upgrades):
            return  # RFC 9110 §15.2: skipped.
        self._keep = parser.should_keep_alive()
        length: int | None = None
        chunked = False
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                self._faulty = self._faulty or chunked or value.lower() != b"chunked"
                chunked = True
        if self._faulty:
            return
        self._headers = []
        self._length = length
        if self._method == "HEAD":
            # The parser does not know, and waits for a body.
            self._complete = self._renew = True
        elif length is None and not chunked and status not in _BODYLESS:
            self._until_end = True
        answer.begin(status, headers)

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if self._complete:
            self._stray = True
        elif self._answer is not None:
            self._answer.feed(data)

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was informational."""
        if self._answer is not None and self._answer.status:
            self._complete = True
