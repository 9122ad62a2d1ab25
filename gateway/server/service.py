"""What client connections serve, and how they refuse what cannot be read."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from gateway.server.channel import ClientChannel
from gateway.server.limits import ConnectionLimits
from gateway.server.request import Request
from gateway.server.shortcut import Shortcut
from shared.problem import BadRequest, SpeechgateError


class HeadTooLarge(BadRequest):
    """Request line and header fields are over the bound."""

    status = 431
    title = "Request header fields too large"
    default_code = "head_too_large"


class HeadTimeout(BadRequest):
    """The request's head did not arrive in time."""

    status = 408
    title = "Request timeout"
    default_code = "request_timeout"


@dataclass(frozen=True, slots=True)
class HttpService:
    """What connections serve.

    Attributes:
        dispatch: Answers a request.
        refuse: Answers one that could not be read.
        limits: Of each connection.
        recognize: Finds a short cut for the first bytes of a connection.
        connections: That are open.
    """

    dispatch: Callable[[Request], Coroutine[Any, Any, None]]
    refuse: Callable[[Request, SpeechgateError], None]
    limits: ConnectionLimits
    recognize: Callable[[ClientChannel, bytes], Shortcut | None] = lambda _channel, _data: None
    connections: set[ClientChannel] = field(default_factory=set)
