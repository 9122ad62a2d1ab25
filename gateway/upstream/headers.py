"""Which headers cross the gateway, in each direction."""

from collections.abc import Iterable, Sequence

from gateway.exceptions import BadHeader

Header = tuple[bytes, bytes]

# RFC 9110 §7.6.1, plus the two that are not standard and still seen.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# The client's credential ends here; the rest the gateway says itself, or its own hop handles.
_REQUEST_OWN = _HOP_BY_HOP | {
    b"authorization",
    b"x-api-key",
    b"cookie",
    b"host",
    b"content-length",
    b"expect",
    b"forwarded",
    b"x-real-ip",
    b"x-request-id",
    b"traceparent",
}
_RESPONSE_OWN = _HOP_BY_HOP | {
    b"date",
    b"server",
    b"ratelimit",
    b"ratelimit-policy",
    b"www-authenticate",
}
_INTERNAL_PREFIXES = (b"x-sg-", b"x-user-")
_REQUEST_PREFIXES = (*_INTERNAL_PREFIXES, b"x-forwarded-")
_SINGLE = (b"host", b"content-length", b"authorization", b"x-api-key", b"transfer-encoding")


def check_request_headers(headers: Iterable[Header], http_version: str) -> dict[bytes, bytes]:
    """The fields that may occur once, by name.

    Raises:
        BadHeader: A repeated or missing field, one that frames the body in two ways, or a name
            that other software reads as another one.
    """
    single: dict[bytes, bytes] = {}
    for name, value in headers:
        if b"_" in name:
            raise BadHeader("Header names must not contain an underscore.")
        if name in _SINGLE:
            if name in single:
                raise BadHeader(f"The header {name.decode()} is repeated.")
            single[name] = value
    if b"host" not in single and http_version != "1.0":
        raise BadHeader("The header host is missing.")
    length, coding = single.get(b"content-length"), single.get(b"transfer-encoding")
    if length is not None and (coding is not None or not length.isdigit()):
        raise BadHeader("The length of the request body is ambiguous.")
    if coding is not None and coding.lower() != b"chunked":
        raise BadHeader("The only transfer coding that is read here is chunked.")
    return single


def _named_in_connection(headers: Sequence[Header]) -> frozenset[bytes]:
    named = [
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    ]
    return frozenset(named)


def request_headers(headers: Sequence[Header], own: Iterable[Header]) -> list[Header]:
    """What the service receives.

    Args:
        headers: The client's, names in lower case.
        own: What the gateway states itself.
    """
    named = _named_in_connection(headers)
    kept = [
        (name, value)
        for name, value in headers
        if name not in _REQUEST_OWN and name not in named and not name.startswith(_REQUEST_PREFIXES)
    ]
    kept.extend(own)
    return kept


def response_headers(headers: Sequence[Header], own: Iterable[Header]) -> list[Header]:
    """What the client receives; arguments as in `request_headers`."""
    named = _named_in_connection(headers)
    kept = [
        (name, value)
        for name, value in headers
        if name not in _RESPONSE_OWN
        and name not in named
        and not name.startswith(_INTERNAL_PREFIXES)
    ]
    kept.extend(own)
    return kept
