"""JSON whose long strings are put aside: audio in base64 crosses the gateway as it came.

A document of 30 MB is nearly all one string. Parsing and encoding it would hold up every other
request of the process, and copy it several times. So strings that are long are cut out before the
rest is parsed, and put in again, byte by byte, where the rest is encoded. What is cut is the inside
of one whole string: whatever is wrong in there, it stays inside, and the service that reads it says
what is wrong.
"""

import os
import re
from typing import Any

import orjson

from shared.jsonbody import parse_json_object
from shared.problem import BadRequest, PayloadTooLarge

MIN_BYTES = 4096
MAX_STRINGS = 20_000
MAX_ESCAPES = 1_000_000
"""Some clients write a slash as `\\/`: half a million of them in 30 MB of base64."""


class Cuts:
    """The long strings of one request and of the answers to its steps."""

    def __init__(self) -> None:
        # Nobody outside can know it, so that no text can be taken for a mark.
        self._token = os.urandom(12).hex()
        self._marks = re.compile(rf"{self._token}:(\d+);".encode())
        self._strings: list[bytes] = []

    def parse(self, body: bytes, max_rest: int) -> dict[str, Any]:
        """The object in a client's body, with marks in place of long strings.

        Args:
            body: Strict JSON.
            max_rest: Most bytes of all but the long strings.

        Raises:
            PayloadTooLarge: They are more.
            BadRequest: As `parse_json_object`.
        """
        return parse_json_object(self._cut(body, max_rest, MAX_STRINGS))

    def parse_answer(self, body: bytes) -> Any:
        """The JSON of a service's answer, likewise.

        Raises:
            orjson.JSONDecodeError: It is none.
        """
        return orjson.loads(self._cut(body, len(body), len(body)))

    def fill(self, document: object) -> tuple[bytes, ...]:
        """A document as JSON, in parts, with the strings where their marks are."""
        pieces = self._marks.split(orjson.dumps(document))
        return tuple(
            self._strings[int(piece)] if place % 2 else piece for place, piece in enumerate(pieces)
        )

    def _cut(self, body: bytes, max_rest: int, max_strings: int) -> bytes:
        if len(body) < MIN_BYTES:
            return body
        quotes = _without_escaped(body)
        kept: list[bytes] = []
        size = at = looked = strings = 0
        while True:
            first = quotes.find(b'"', looked)
            last = quotes.find(b'"', first + 1) if first >= 0 else -1
            if last < 0:
                break  # No more strings; or one without an end, for the parser to refuse.
            strings += 1
            if strings > max_strings:
                raise _too_complex()
            if size + first - at > max_rest:
                raise _too_much(max_rest)
            looked = last + 1
            if last - first > MIN_BYTES:
                mark = f"{self._token}:{len(self._strings)};".encode()
                self._strings.append(body[first + 1 : last])
                kept += (body[at : first + 1], mark)
                size += first + 1 - at
                at = last
        if size + len(body) - at > max_rest:
            raise _too_much(max_rest)
        kept.append(body[at:])
        return b"".join(kept)


def _without_escaped(body: bytes) -> bytes:
    """As long as the body, and without the quotes that are a part of a string.

    Outside of strings a backslash is no JSON, and stays in what is parsed.
    """
    escapes = body.count(b"\\")
    if escapes > MAX_ESCAPES:
        raise _too_complex()
    if not escapes:
        return body
    return body.replace(b"\\\\", b"--").replace(b'\\"', b"--")


def _too_complex() -> BadRequest:
    return BadRequest(
        f"The JSON has more than {MAX_STRINGS} strings, or {MAX_ESCAPES} escapes.",
        code="json_too_complex",
    )


def _too_much(max_rest: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"All but the audio may take {max_rest} bytes.")
