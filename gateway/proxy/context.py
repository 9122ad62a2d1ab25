"""Request id and trace context of a proxied request."""

import os

from gateway.upstream.protocol import Header
from shared.tracing import RequestContext, request_context

_UNSAMPLED = "00"


class _Random:
    """Random digits, of which one system call brings enough for many requests."""

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0

    def take(self) -> str:
        """80 hexadecimal digits that nobody had before."""
        at = self._at
        if at == len(self._digits):
            self._digits, at = os.urandom(40 * 100).hex(), 0
        self._at = at + 80
        return self._digits[at : at + 80]


_random = _Random()


def new_ids() -> str:
    """Request id (32 digits), trace id (32) and span id (16), one after another."""
    return _random.take()


def new_context(ids: str) -> RequestContext:
    """A context of new ids."""
    return RequestContext(ids[:32], ids[32:64], ids[64:], _UNSAMPLED)


class TraceHeaders:
    """The context, and the fields that carry it in both directions.

    Args:
        noted: The client's own fields; continued where they are well-formed.
    """

    __slots__ = ("context", "headers")

    def __init__(self, noted: dict[bytes, bytes] | None = None) -> None:
        if noted:
            request_id, traceparent = noted.get(b"x-request-id"), noted.get(b"traceparent")
            self.context = request_context(
                request_id.decode("latin-1") if request_id else None,
                traceparent.decode("latin-1") if traceparent else None,
            )
        else:
            self.context = new_context(new_ids())
        self.headers = _fields(self.context)


class KnownTrace(TraceHeaders):
    """The fields of a context that is known already."""

    __slots__ = ()

    def __init__(self, context: RequestContext) -> None:
        self.context = context
        self.headers = _fields(context)


def _fields(context: RequestContext) -> tuple[Header, Header]:
    return (
        (b"x-request-id", context.request_id.encode()),
        (b"traceparent", context.traceparent.encode()),
    )
