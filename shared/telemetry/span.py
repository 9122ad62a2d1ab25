"""Spans as the code that makes them sees them.

Nothing here loads a library: where tracing is off, `current_span` is None and a block costs the
look at it. A span holds names, numbers and ids; never what somebody said, wrote or signed with.
Errors are told by their code, since messages quote input.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Protocol

from shared.problem import SpeechgateError
from shared.tracing import RequestContext

Value = str | bool | int | float
Attributes = Mapping[str, Value]

METHOD, ROUTE, STATUS = "http.request.method", "http.route", "http.response.status_code"
TENANT, MODEL, VARIANT = "speechgate.tenant", "speechgate.model", "speechgate.variant"
ERROR = "error.type"


class Kind(Enum):
    """Which side of a call a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"


class Span(Protocol):
    """One piece of work.

    Attributes:
        context: Its ids; `traceparent` makes the next hop its child.
        recording: Whether it is sampled and has not ended. What is said to another one is lost,
            and its children are itself.
    """

    context: RequestContext
    recording: bool

    def rename(self, name: str) -> None:
        """Give it the name that is known only now."""

    def put(self, name: str, value: Value | None) -> None:
        """Note an attribute; None is no value."""

    def event(self, name: str, attributes: Attributes | None = None) -> None:
        """Note that something happened; the last 128 are kept."""

    def child(
        self,
        name: str,
        kind: Kind = Kind.INTERNAL,
        attributes: Attributes | None = None,
        *,
        began_s: float = 0.0,
    ) -> "Span":
        """A piece of this work.

        Args:
            name: One of few.
            kind: Which side of a call.
            attributes: Known from the start.
            began_s: How long ago it began.
        """

    def end(self, error: str | None = None) -> None:
        """It is over; once.

        Args:
            error: Code of what went wrong.
        """


class Tracer(Protocol):
    """Begins the spans of a process."""

    def serve(self, name: str, request_id: str | None, traceparent: str | None) -> Span:
        """A request that came in; continues the caller's trace where its header is well-formed."""

    def start(
        self, name: str, kind: Kind, parent: RequestContext, attributes: Attributes | None = None
    ) -> Span:
        """A piece of work in a context of this process that other code keeps."""


current_span: ContextVar[Span | None] = ContextVar("current_span", default=None)
"""What this task works on. A task that outlives its request may still see the request's span."""


def recording() -> Span | None:
    """The current span, if it takes anything."""
    found = current_span.get()
    return found if found is not None and found.recording else None


@contextmanager
def span(
    name: str, kind: Kind = Kind.INTERNAL, attributes: Attributes | None = None
) -> Iterator[Span | None]:
    """The block as a piece of the current work; None where that is not recorded.

    Not around a `yield` of an asynchronous generator, whose parts may run in several tasks.
    """
    parent = recording()
    if parent is None:
        yield None
        return
    made = parent.child(name, kind, attributes)
    token = current_span.set(made)
    try:
        yield made
    except BaseException as error:
        made.end(error_code(error))
        raise
    else:
        made.end()
    finally:
        current_span.reset(token)


def record(name: str, seconds: float) -> None:
    """A piece of the current work that ends now and took so long."""
    parent = recording()
    if parent is not None:
        parent.child(name, began_s=seconds).end()


def note(name: str, value: Value | None) -> None:
    """Say something about the current work."""
    found = recording()
    if found is not None:
        found.put(name, value)


def event(name: str, attributes: Attributes | None = None) -> None:
    """Say that something happened during the current work."""
    found = recording()
    if found is not None:
        found.event(name, attributes)


def error_code(error: BaseException) -> str:
    """What went wrong, without a message."""
    if isinstance(error, SpeechgateError):
        return error.code
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return type(error).__name__
