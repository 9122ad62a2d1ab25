"""Request id and trace context of a proxied request."""

import os

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
            token = _random.take()
            self.context = RequestContext(token[:32], token[32:64], token[64:], _UNSAMPLED)
        self.headers = (
            (b"x-request-id", self.context.request_id.encode()),
            (b"traceparent", self.context.traceparent.encode()),
        )
