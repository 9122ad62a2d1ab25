"""Request id and trace context of a proxied request."""

import os

from shared.tracing import RequestContext, request_context

_UNSAMPLED = "00"


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
            # One system call for all that is random.
            token = os.urandom(40).hex()
            self.context = RequestContext(token[:32], token[32:64], token[64:], _UNSAMPLED)
        self.headers = (
            (b"x-request-id", self.context.request_id.encode()),
            (b"traceparent", self.context.traceparent.encode()),
        )
