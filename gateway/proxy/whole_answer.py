"""Answers of services that came in one piece, read without a parser.

Only what leaves no doubt is read here: one status line, well-formed fields, a length that is that
of what came. Everything else is the parser's. What a line means is worked out once and remembered:
services send the same few lines.
"""

import re
from http import HTTPStatus

from gateway.proxy.answer import Meaning, meaning_of

_MAX_HEAD_BYTES = 16 * 1024
_MAX_REMEMBERED = 4096
_MAX_DIGITS = 15
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110 §5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
_UNUSUAL = frozenset({204, 205, 304, 401})
_SERVER_ERROR = 500
_STATUSES = {
    f"HTTP/1.1 {status.value} {status.phrase}".encode(): status.value
    for status in HTTPStatus
    if HTTPStatus.OK <= status < _SERVER_ERROR and status not in _UNUSUAL
}
_UNKNOWN = -1
_STEADY = frozenset({b"server", b"date"})  # Dropped, and the same for a while.
_OTHERS = frozenset({b"transfer-encoding", b"upgrade"})
_lines: dict[bytes, bytes] = {}
"""What a client gets of a line."""
_lengths: dict[bytes, tuple[int, bytes]] = {}
"""Lengths as they are sent, and what a client gets of such a line."""
_names: dict[bytes, int] = {}
"""Meanings of names as they are sent; `_UNKNOWN` is for the parser."""

Whole = tuple[int, bytes, bytes | None, bytes]
"""Status, field lines for the client, which model answered where the service says so, body."""


def read_whole(data: bytes) -> Whole | None:
    """An answer; None where the parser has to read it.

    Args:
        data: All that came of it so far.
    """
    end = data.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
    if end < 0:
        return None
    fields = data[:end].split(b"\r\n")
    status = _STATUSES.get(fields[0])
    fields[0] = b""
    known, kept = _lines, []
    length, used = -1, None
    for field in fields:
        line = known.get(field)
        if line is None and length < 0 and field in _lengths:
            length, line = _lengths[field]
        elif line is None:
            meaning, line = _read_line(field)
            if meaning == Meaning.LENGTH and length < 0:
                length, line = _remember_length(field, int(line))
            elif meaning == Meaning.USED:
                used, line = line, b""
            elif meaning != Meaning.KEEP:
                return None
        kept.append(line)
    body = data[end + 4 :]
    if status is None or len(body) != length:
        return None
    return status, b"".join(kept), used, body


def _learn_name(name: bytes) -> int:
    if _NAME.match(name) is None:
        return _UNKNOWN
    lower = name.lower()
    meaning = _UNKNOWN if lower in _OTHERS else meaning_of(lower)
    if len(_names) < _MAX_REMEMBERED:
        _names[name] = meaning
    return meaning


def _read_line(field: bytes) -> tuple[int, bytes]:
    """What a client gets of a line, or the value of one that is read here."""
    name, colon, value = field.partition(b":")
    meaning = _names.get(name)
    if meaning is None:
        meaning = _learn_name(name)
    value = value.strip(b" \t")
    if not colon or _VALUE.match(value) is None:
        return _UNKNOWN, b""
    if meaning == Meaning.KEEP:
        return meaning, _remember(field, b"%b: %b\r\n" % (name.lower(), value))
    if meaning == Meaning.DROP:
        # The ids of a request are not worth remembering.
        return Meaning.KEEP, _remember(field, b"") if name.lower() in _STEADY else b""
    if meaning == Meaning.CONNECTION and value.lower() == b"keep-alive":
        return Meaning.KEEP, _remember(field, b"")
    stated = meaning == Meaning.LENGTH and value.isdigit() and len(value) <= _MAX_DIGITS
    if stated or meaning == Meaning.USED:
        return meaning, value
    return _UNKNOWN, b""


def _remember_length(field: bytes, length: int) -> tuple[int, bytes]:
    if len(_lengths) >= _MAX_REMEMBERED:
        _lengths.clear()
    _lengths[field] = known = length, b"content-length: %d\r\n" % length
    return known


def _remember(field: bytes, line: bytes) -> bytes:
    if len(_lines) >= _MAX_REMEMBERED:
        _lines.clear()
        _lines[b""] = b""
    _lines[field] = line
    return line


_lines[b""] = b""  # In place of the status line.
