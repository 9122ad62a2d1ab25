"""What is read without a parser is what the parser reads."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.proxy.answer import PROTECTION, AnswerHead
from gateway.proxy.whole_answer import _MAX_REMEMBERED, _lines, _names, read_whole
from gateway.server.response import lines
from tests.support.parsed_http import ParsedHttp

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
NAMES = (
    b"content-type", b"Content-Type", b"date", b"Server", b"x-request-id", b"x-own", b"X-Own",
    b"content-length", b"Content-Length", b"transfer-encoding", b"connection", b"Keep-Alive",
    b"cache-control", b"x-sg-model-used", b"x-sg-inside", b"set-cookie", b"x own", b"x\x00", b"",
    b" x-own", b"upgrade", b"trailer", b"\xff",
)  # fmt: skip
VALUES = (
    b"application/json", b"5", b"05", b"+5", b"5, 5", b"-1", b"", b" ", b"chunked", b"keep-alive",
    b"close", b"x-own", b"Keep-Alive", b"a\nset-cookie: b", b"a\rb", b"a\x00b", b"\xe9", b"\x7f",
    b"tab\there", b"trailing \t", b"candidate", b"variant", b"a: b",
)  # fmt: skip
FIELD = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from((b": ", b":", b" : ", b"", b":\t ")),
    st.sampled_from(VALUES),
)
FIRST = (
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/1.1 404 Not Found",
    b"HTTP/1.1 204 No Content", b"HTTP/1.1 100 Continue", b"HTTP/1.1 503 Service Unavailable",
    b"HTTP/1.1 201 Created", b"HTTP/1.1 401 Unauthorized", b"HTTP/1.1  200 OK", b"",
)  # fmt: skip


@given(
    st.sampled_from(FIRST),
    st.lists(FIELD, max_size=5),
    st.sampled_from((b"content-length: %d", b"Content-Length:%d", b"")),
    st.sampled_from((b"", b"{}", b"hello", b"0\r\n\r\n", b"x" * 300)),
    st.sampled_from((0, 0, 0, 1, -1)),
    st.integers(0, 5),
)
@example(b"HTTP/1.1 200 OK", [(b"content-type", b": ", b"a")], b"content-length: %d", b"{}", 0, 0)
@settings(max_examples=3000)
def test_it_reads_what_the_parser_reads_or_nothing(
    first: bytes,
    fields: list[tuple[bytes, bytes, bytes]],
    length: bytes,
    body: bytes,
    off: int,
    place: int,
) -> None:
    written = [name + colon + value for name, colon, value in fields]
    if length:
        written.insert(min(place, len(written)), length % (len(body) + off))
    data = b"\r\n".join((first, *written)) + b"\r\n\r\n" + body
    for _ in range(2):  # As it is, and from memory.
        found = read_whole(data)
        if found is None:
            continue
        status, kept, used, read = found
        parsed = ParsedHttp(data, answer=True)
        head = AnswerHead(parsed.headers)
        assert (parsed.complete, parsed.keep) == (1, True)
        assert (status, read, used) == (parsed.status, parsed.body, head.used)
        assert (kept, head.framed, head.protection) == (lines(head.kept), True, PROTECTION)


def test_the_usual_answer_is_read() -> None:
    expected = b"content-type: application/json\r\ncontent-length: 2\r\n"
    for extra in (
        b"",
        b"Server: uvicorn\r\n",
        b"x-request-id: 1\r\n",
        b"connection: keep-alive\r\n",
    ):
        assert read_whole(PLAIN.replace(b"content-type", extra + b"content-type")) == (
            200,
            expected,
            None,
            b"{}",
        )
    for begun in range(len(PLAIN)):
        assert read_whole(PLAIN[:begun]) is None
    assert read_whole(PLAIN + b"x") is None


def test_memory_of_lines_and_names_is_bounded() -> None:
    for number in range(2 * _MAX_REMEMBERED):
        line = b"x-%d: %d\r\ncontent-type" % (number, number)
        assert read_whole(PLAIN.replace(b"content-type", line)) is not None
        assert max(len(_lines), len(_names)) <= _MAX_REMEMBERED + 1
    assert read_whole(PLAIN) is not None
