"""A request that is taken for a repeated one is just that."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.proxy.repeat import HeadPattern
from tests.support.parsed_http import ParsedHttp

START = b"POST /api/v1/asr/inference HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n"
HEADS = (
    START + b"Content-Length: 12\r\nContent-Type: application/json\r\n\r\n",
    START + b"content-type: application/json\r\ncontent-length:5\r\n\r\n",
    START + b"content-length: \t7 \r\nX-Other: 1\r\n\r\n",
    b"GET /api/v1/asr/models HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n\r\n",
)
MAX_BODY = 1_000


def without_length(parsed: ParsedHttp) -> list[tuple[bytes, bytes]]:
    return [field for field in parsed.headers if field[0] != b"content-length"]


@given(
    st.sampled_from(HEADS),
    st.sampled_from(HEADS),
    st.sampled_from(
        (b"0", b"5", b"05", b"12", b"+5", b"5 ", b" 5", b"5,5", b"", b"99999999", b"\xb2")
    ),
    st.sampled_from((b"", b"hello", b"x" * 12, b"GET / HTTP/1.1\r\n\r\n")),
    st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=2)), max_size=1),
)
@settings(max_examples=3000)
def test_a_match_is_one_whole_request_with_that_head(
    first: bytes, second: bytes, digits: bytes, body: bytes, changes: list[tuple[int, bytes]]
) -> None:
    pattern, original = HeadPattern(first, MAX_BODY), ParsedHttp(first)
    for length in (b"12", b"\t7 ", b"5"):
        second = second.replace(b"ength:" + length, b"ength:" + digits)
        second = second.replace(b"ength: " + length, b"ength: " + digits)
    data = second + body
    for at, put in changes:
        data = data[:at] + put + data[at + len(put) :]
    at = pattern.body_at(data)
    if at < 0:
        return
    found = ParsedHttp(data)
    assert (found.begun, found.complete, found.keep) == (1, 1, True)
    assert found.target == original.target
    assert without_length(found) == without_length(original)
    assert found.body == data[at:]
    assert len(found.body) <= MAX_BODY


@pytest.mark.parametrize("length", [0, 1, 9, 10, 999, 1_000, 1_001])
def test_only_the_length_may_differ_and_up_to_its_bound(length: int) -> None:
    pattern = HeadPattern(HEADS[0], MAX_BODY)
    data = HEADS[0].replace(b": 12", b": %d" % length) + bytes(length)
    assert pattern.body_at(data) == (len(data) - length if length <= MAX_BODY else -1)
    assert pattern.body_at(data[:-1]) == -1
    assert pattern.body_at(data + b"x") == -1
    assert pattern.body_at(data.replace(b"Bearer k", b"Bearer l")) == -1


def test_a_head_without_length_has_no_body() -> None:
    pattern = HeadPattern(HEADS[3], MAX_BODY)
    assert not pattern.has_length
    assert pattern.body_at(HEADS[3]) == len(HEADS[3])
    assert pattern.body_at(HEADS[3] + b"x") == -1
    assert pattern.body_at(HEADS[3][:-1]) == -1
