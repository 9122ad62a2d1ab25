"""A request that a short cut has begun and an exchange goes on with."""

from typing import NamedTuple

from gateway.models.flags import ModelChoice
from gateway.models.limits import Decision
from gateway.models.principal import Principal
from gateway.models.routes import Service
from gateway.proxy.ledger import Ledger
from gateway.server.request import Request
from gateway.upstream.places import Places, Sent
from shared.tracing import RequestContext


class Handed(NamedTuple):
    """Where a request was sent to.

    Attributes:
        service: Has the replica.
        places: Its place is one of these.
        choice: The model.
        sent: The attempt.
    """

    service: Service
    places: Places
    choice: ModelChoice
    sent: Sent


class Begun(NamedTuple):
    """What was done for a request; its place among those in flight is kept.

    Attributes:
        ledger: Where it is written down if nobody goes on with it.
        principal: Who sent it.
        decision: Of the limiter.
        context: Of the request.
        handed: None where it was not sent on.
    """

    ledger: Ledger
    principal: Principal
    decision: Decision
    context: RequestContext
    handed: Handed | None = None

    @property
    def sent(self) -> Sent | None:
        """The attempt, if there was one."""
        return None if self.handed is None else self.handed.sent

    def drop(self, request: Request) -> None:
        """See `server.shortcut.Begun`."""
        told, handed = None, self.handed
        if handed is not None:
            told = handed.choice.variant, handed.service
            handed.sent.answer.close()
            handed.places.end(handed.sent.replica)
        ids = "".join(self.context[:3])
        seconds = request.channel.loop.time() - request.arrived
        self.ledger.left(self.decision, ids, seconds, request.body.received, sent=told)
