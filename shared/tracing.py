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


def accepted_request_id(request_id: str | None) -> str:
    """The caller's request id where it is well-formed, else a new one."""
    return request_id if request_id and _REQUEST_ID.match(request_id) else new_request_id()


def parent_of(traceparent: str | None) -> tuple[str, str, str] | None:
    """Trace id, span id and flags of a caller's span; None where its header is not well-formed."""
    match = _TRACEPARENT.match(traceparent or "")
    if match is None or match[1] == "0" * 32 or match[2] == "0" * 16:
        return None
    return match[1], match[2], match[3]


def request_context(request_id: str | None, traceparent: str | None) -> RequestContext:
    """Continue a caller's context where its headers are well-formed, else start a new one."""
    parent = parent_of(traceparent)
    if parent is not None:
        trace_id, flags = parent[0], parent[2]
    else:
        trace_id, flags = os.urandom(16).hex(), "00"
    return RequestContext(accepted_request_id(request_id), trace_id, os.urandom(8).hex(), flags)
