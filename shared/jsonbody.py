"""Strict, bounded JSON for request bodies.

`orjson` refuses NaN, infinities, invalid UTF-8 and lone surrogates; this adds bounds on depth, on
the number of containers and of values, and the refusal of duplicate members. Cost is linear in the
body.
"""

import re
from typing import Any

import orjson

from shared.problem import BadRequest

MAX_DEPTH = 64
MAX_CONTAINERS = 50_000
# What a schema says of each wrong value costs far more than to parse it.
MAX_VALUES = 100_000
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def parse_json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`.

    Raises:
        BadRequest: Codes `empty_body`, `json_too_deep`, `json_too_complex`, `duplicate_member`,
            `invalid_json`.
    """
    if not body.strip():
        raise BadRequest("The request body is empty.", code="empty_body")
    skeleton = _STRING.sub(b"", body)
    _refuse_depth(skeleton)
    if skeleton.count(b",") >= MAX_VALUES:
        raise BadRequest(f"The JSON has more than {MAX_VALUES} values.", code="json_too_complex")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The request body is not valid JSON.", code="invalid_json") from error
    if not isinstance(document, dict):
        raise BadRequest("The request body must be a JSON object.", code="invalid_json")
    # In valid JSON each colon outside a string belongs to one member; a duplicate is written
    # twice and parsed once.
    if skeleton.count(b":") != _count_members(document):
        raise BadRequest("The JSON names a member twice.", code="duplicate_member")
    return document


def _refuse_depth(skeleton: bytes) -> None:
    """Refuse deep or countless containers before anything recursive sees them."""
    openers = skeleton.count(b"{") + skeleton.count(b"[")
    if openers <= MAX_DEPTH:
        return
    depth = 0
    for position, bracket in enumerate(_BRACKET.finditer(skeleton)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            raise BadRequest(
                f"The JSON is nested more than {MAX_DEPTH} levels.", code="json_too_deep"
            )
        if position > 2 * MAX_CONTAINERS:
            raise BadRequest(
                f"The JSON has more than {MAX_CONTAINERS} arrays and objects.",
                code="json_too_complex",
            )


def _count_members(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count_members, value.values()))
    if isinstance(value, list):
        return sum(map(_count_members, value))
    return 0
