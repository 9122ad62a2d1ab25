"""Requests whose head is that of an earlier one of their client.

A client sends the same head again and again, but for the length of the body. What such a head
means was worked out when it came first, by the parser and by everything that checks it; the same
bytes mean the same.
"""

import re

from gateway.models.flags import ModelChoice
from gateway.models.principal import Principal
from gateway.models.routes import Outage, Route, Transport
from gateway.proxy.head import RequestHead
from gateway.proxy.outgoing import forwarded
from gateway.proxy.parts import ProxyContext
from gateway.proxy.sender import caps_of
from gateway.server.request import KnownSender, Request
from gateway.server.response import lines
from gateway.upstream.replica import Replica

_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n")
_MAX_LENGTH_DIGITS = 7
_BODYLESS = frozenset({"GET", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_PLAIN_NOTED = frozenset({b"x-session-id"})
_MAX_HEADS = 64
_Head = tuple[bytes, ModelChoice, bytes]


def parts_of(raw_head: bytes) -> tuple[bytes, bytes]:
    """A head up to the length of the body, and what comes behind that; all of it when it has none.

    Args:
        raw_head: As it came, to the empty line.
    """
    length = _LENGTH.search(raw_head)
    if length is None:
        return raw_head, b""
    return raw_head[: length.start(1)], raw_head[length.end(1) :]


class HeadPattern:
    """A head, whatever the length of the body.

    Args:
        raw_head: As it came, to the empty line.
        max_body: Bytes; a larger one is no match.

    Attributes:
        has_length: It says how long the body is.
    """

    __slots__ = ("_max_body", "_prefix", "_suffix", "has_length")

    def __init__(self, raw_head: bytes, max_body: int) -> None:
        self._prefix, self._suffix = parts_of(raw_head)
        self.has_length = bool(self._suffix)
        self._max_body = max_body

    def body_at(self, data: bytes) -> int:
        """Where the body begins in a request of this head; -1 when it is none, or not whole.

        Args:
            data: All that came since the last request.
        """
        prefix, suffix = self._prefix, self._suffix
        if not data.startswith(prefix):
            return -1
        at = len(prefix)
        if not suffix:
            return at if len(data) == at else -1
        end = data.find(b"\r", at, at + _MAX_LENGTH_DIGITS + 1)
        digits = data[at:end]
        if end < 0 or not digits.isdigit() or not data.startswith(suffix, end):
            return -1
        at = end + len(suffix)
        length = len(data) - at
        return at if length == int(digits) and length <= self._max_body else -1


class Repeat:
    """What a head means, as far as it does not change.

    Attributes:
        route: Where it goes.
        method: Of the request.
        pattern: What it looks like.
        principal: Who sent it; another object may have other rights.
        sender: The credential.
        caps: Bounds on the sender's requests in flight.
        session: That a model flag may go by.
        timeout_s: From a request to the end of its answer.
    """

    __slots__ = (
        "_fields",
        "_heads",
        "_start",
        "caps",
        "method",
        "pattern",
        "principal",
        "route",
        "sender",
        "session",
        "timeout_s",
    )

    def __init__(
        self,
        context: ProxyContext,
        request: Request,
        route: Route,
        principal: Principal,
        head: RequestHead,
        sender: KnownSender,
    ) -> None:
        self.route = route
        self.method = request.method
        self.principal = principal
        self.sender = sender
        self.caps = caps_of(principal)
        session = head.noted.get(b"x-session-id")
        self.session = session.decode("latin-1") if session else None
        self.timeout_s = context.timeout_of(route)
        self.pattern = HeadPattern(request.raw_head, context.body_bounds[route.body])
        self._start = b"%b %b" % (request.method.encode(), request.target)
        self._fields = lines((*head.kept, *forwarded(request)))
        self._heads: dict[Replica, _Head] = {}

    def length_line(self, length: int) -> bytes:
        """The field that says how long the body is; nothing for a request that has none."""
        return b"content-length: %d\r\n" % length if self.pattern.has_length else b""

    def head_for(self, replica: Replica, tail: str, token: bytes, choice: ModelChoice) -> bytes:
        """The head of a request to a service, up to what each request has for itself.

        Args:
            replica: That gets it.
            tail: End of its request line, and the `host` field.
            token: The sender's identity.
            choice: The model.
        """
        known = self._heads.get(replica)
        if known is not None and known[0] is token and known[1] is choice:
            return known[2]
        own = [(b"x-sg-identity", token)]
        if choice.model is not None:
            own.append((b"x-sg-model", choice.reference.encode()))
        start = self._start + tail.encode("latin-1")
        head = b"%b\r\n%b%b%b" % (start, self._fields, lines(own), replica.lines)
        if len(self._heads) >= _MAX_HEADS:
            self._heads.clear()
        self._heads[replica] = token, choice, head
        return head


def repeat_of(
    context: ProxyContext, request: Request, route: Route, principal: Principal, head: RequestHead
) -> Repeat | None:
    """What is remembered of a request that was answered; None where something is not usual."""
    known, raw = request.channel.known, request.raw_head
    has_length = b"content-length" in head.single
    if (
        known is None
        or route.transport is not Transport.HTTP
        or route.outage is Outage.FAIL_CLOSED
        or b"transfer-encoding" in head.single
        or not head.noted.keys() <= _PLAIN_NOTED
        or request.method not in (_WITH_BODY if has_length else _BODYLESS)
        or not raw.startswith(b"%b %b HTTP/1.1\r\n" % (request.method.encode(), request.target))
    ):
        return None
    return Repeat(context, request, route, principal, head, known)
