"""The head of an answer as bytes."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

Header = tuple[bytes, bytes]
CRLF = b"\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
_BODYLESS = frozenset({204, 304})
_STATUS_LINES = {
    int(status): f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def status_line(status: int) -> bytes:
    """The first line of an answer."""
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()


def has_body(method: str, status: int) -> bool:
    """Whether an answer may have a body (RFC 9110 §6.4.1)."""
    return method != "HEAD" and status not in _BODYLESS


def lines(headers: Iterable[Header]) -> bytes:
    """Fields as they are sent."""
    return b"".join(b"%b: %b\r\n" % field for field in headers)


class _DateLine:
    """The `date` field, made anew at most once a second."""

    def __init__(self) -> None:
        self.second = 0
        self.line = b""

    def renew(self, second: int) -> bytes:
        """The whole field line of this second."""
        self.second = second
        self.line = b"date: %b\r\n" % formatdate(second, usegmt=True).encode()
        return self.line


_DATE = _DateLine()


def date_line() -> bytes:
    """The `date` field of now, whole."""
    second = int(time.time())
    return _DATE.line if second == _DATE.second else _DATE.renew(second)


def head(status: int, headers: Iterable[Header], last: bytes = b"") -> bytes:
    """Status line, date, fields and the empty line.

    Args:
        status: Of the answer.
        headers: Names and values without line ends.
        last: Whole field lines that come last.
    """
    parts = [status_line(status), date_line()]
    for name, value in headers:
        parts += (name, b": ", value, CRLF)
    parts += (last, CRLF)
    return b"".join(parts)
