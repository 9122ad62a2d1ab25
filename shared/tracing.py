"""Request ids and W3C trace context (https://www.w3.org/TR/trace-context/)."""

import os
import re
from contextvars import ContextVar
from typing import NamedTuple

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class RequestContext(NamedTuple):
    """What joins the log lines, spans and rows of one request."""

    request_id: str
    trace_id: str
    span_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        """The header for the next hop: this request's span is its parent."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


current_context: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def new_request_id() -> str:
    """32 random hexadecimal digits."""
    return os.urandom(16).hex()


def request_context(request_id: str | None, traceparent: str | None) -> RequestContext:
    """Continue a caller's context where its headers are well-formed, else start a new one."""
    accepted = request_id if request_id and _REQUEST_ID.match(request_id) else new_request_id()
    match = _TRACEPARENT.match(traceparent or "")
    if match and match[1] != "0" * 32 and match[2] != "0" * 16:
        trace_id, flags = match[1], match[3]
    else:
        trace_id, flags = os.urandom(16).hex(), "00"
    return RequestContext(accepted, trace_id, os.urandom(8).hex(), flags)
