"""Header fields of a request, as layers without a framework's request read them."""

from starlette.types import Scope

Ids = tuple[str | None, str | None]
"""The request id and the `traceparent` that a caller sent."""


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a request header, given in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            decoded: str = value.decode("latin-1")
            return decoded
    return None


def ids_of(scope: Scope) -> Ids:
    """What the caller says of a request."""
    return header(scope, b"x-request-id"), header(scope, b"traceparent")
