"""The head of a request to a service, as bytes."""

from collections.abc import AsyncIterable

from gateway.upstream.protocol import UpstreamRequest

_EXPECT_BODY = frozenset({"POST", "PUT", "PATCH"})
_colon_joined = b": ".join


def encode(
    request: UpstreamRequest, tail: str, lines: bytes, size: int | None
) -> tuple[bytes, int | None]:
    """Request line, header fields and the empty line; and the body's length, None for chunks.

    Args:
        request: Header names are in lower case.
        tail: End of the request line, and the `host` field.
        lines: Whole field lines to add.
        size: Bytes of a body that is at hand; None: it comes in parts.

    Raises:
        ValueError: The fields would be read as something else than they say.
    """
    method, target, headers = request.method, request.target, request.headers
    declared: int | None = None
    for field in headers:
        if field[0] == b"content-length":
            declared = int(field[1])
    if size is not None:
        if declared is None:
            if size or method in _EXPECT_BODY:
                lines += b"content-length: %d\r\n" % size
        elif declared != size:
            raise ValueError("the body is not as long as the request says")
        declared = size
    elif declared is None:
        lines += b"transfer-encoding: chunked\r\n"
    start = f"{method} {target}{tail}".encode("latin-1")
    head = b"\r\n".join((start, *map(_colon_joined, headers), lines + b"\r\n"))
    # The client's parser let none through; whatever else made a field must not, either.
    if head.count(b"\n") != len(headers) + 3 + lines.count(b"\n") or " " in target:
        raise ValueError("a field of the request contains a line end")
    return head, declared


def size_of(content: tuple[bytes, ...] | AsyncIterable[bytes]) -> int | None:
    """Bytes of a body that is at hand; None for one that comes in parts."""
    return sum(map(len, content)) if isinstance(content, tuple) else None
