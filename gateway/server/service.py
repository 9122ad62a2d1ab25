"""What client connections serve, and how they refuse what cannot be read."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from gateway.server.channel import ClientChannel
from gateway.server.limits import ConnectionLimits
from gateway.server.request import Request
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
        connections: That are open.
    """

    dispatch: Callable[[Request], Coroutine[Any, Any, None]]
    refuse: Callable[[Request, SpeechgateError], None]
    limits: ConnectionLimits
    connections: set[ClientChannel] = field(default_factory=set)
