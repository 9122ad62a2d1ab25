"""The types of the routing table."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Route:
    """One public operation that is passed to a service.

    Attributes:
        method: HTTP method.
        template: Path with `{name}` for a variable segment; the label of metrics and logs.
        service: Where it goes.
        scope: What the key must be allowed to do.
        body: Bound on the request body.
        cost: How many requests it counts as.
    """

    method: str
    template: str
    service: Service
    scope: str
    body: BodyBound = BodyBound.NONE
    cost: int = 1
