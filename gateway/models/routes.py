"""The types of the routing table."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Service(StrEnum):
    """A deployable behind the gateway; the identity token's audience."""

    ASR = "asr"
    TTS = "tts"
    NLP = "nlp"


class BodyBound(StrEnum):
    """Which of the configured bounds a route's body has."""

    NONE = "none"
    SMALL = "small"
    AUDIO = "audio"
    RECORDING = "recording"  # Long ones: the service spools them to disk.


class Priority(IntEnum):
    """Who is refused first when there is too much to do: the highest number."""

    LIVE = 0
    INTERACTIVE = 1
    BATCH = 2


class Outage(StrEnum):
    """What a route does while Redis cannot be asked for its limits."""

    FAIL_OPEN = "fail_open"  # This process's own windows of the same policy decide.
    FAIL_CLOSED = "fail_closed"  # 503 until Redis is back.


class Transport(StrEnum):
    """How a route's bytes travel."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    SOCKET_IO = "socket_io"  # Engine.IO: long polling and WebSocket on one path.


@dataclass(frozen=True, slots=True)
class Route:
    """One public operation that is passed to a service.

    Attributes:
        method: HTTP method.
        template: Path with `{name}` for a variable segment; the label of metrics and logs.
        service: Where it goes.
        scope: What the sender must be allowed to do.
        body: Bound on the request body.
        cost: How many requests it counts as.
        priority: Who gives way under overload.
        outage: Behaviour while Redis is down.
        model_flag: Flag whose variants name the model that serves it.
        transport: HTTP, or a connection that is tunnelled.
        idempotent: Doing it twice does no harm, so that it may be retried.
        slow: It may take as long as `upstream_slow_timeout_s`.
    """

    method: str
    template: str
    service: Service
    scope: str
    body: BodyBound = BodyBound.NONE
    cost: int = 1
    priority: Priority = Priority.INTERACTIVE
    outage: Outage = Outage.FAIL_OPEN
    model_flag: str | None = None
    transport: Transport = Transport.HTTP
    idempotent: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class OwnRoute:
    """One public operation that the gateway answers itself.

    Attributes:
        permission: What the sender must be allowed to do; `""` is any authenticated sender,
            None is anybody.
        composed: It is answered by steps at services: it holds a place under the sender's caps,
            has a kill switch, and may take as long as `upstream_slow_timeout_s`.
    """

    method: str
    template: str
    permission: str | None
    body: BodyBound = BodyBound.SMALL
    cost: int = 1
    composed: bool = False
