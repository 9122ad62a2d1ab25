"""How repeated requests end: their places are given back, and a record is written."""

import time

from gateway.models.limits import Decision
from gateway.models.routes import Service
from gateway.proxy.parts import ProxyContext
from gateway.proxy.record import Facts, Kind, Record
from gateway.proxy.repeat import Repeat

_CLIENT_LEFT = 499
_MAX_KINDS = 64
_Ending = tuple[int, str | None, Service | None, str | None]
"""Status, variant, service where the request was sent, replica that answered."""


class Ledger:
    """Of the requests that are like one that came before.

    Args:
        context: What the proxied path works with.
        repeat: What the requests are like.
    """

    __slots__ = ("_context", "_kinds", "_repeat")

    def __init__(self, context: ProxyContext, repeat: Repeat) -> None:
        self._context = context
        self._repeat = repeat
        self._kinds: dict[_Ending, Kind] = {}

    def finish(
        self,
        ending: _Ending,
        decision: Decision | None,
        ids: str,
        seconds: float,
        received: int,
        sent: int,
    ) -> None:
        """A request was answered.

        Args:
            ending: How.
            decision: Of the limiter, where it decided.
            ids: Of the request; see `new_ids`.
            seconds: Since it came.
            received: Bytes of its body.
            sent: Bytes of the answer's.
        """
        context = self._context
        context.overload.in_flight -= 1
        if decision is not None and decision.lease is not None:
            context.limiter.release(decision.lease)
        kind = self._kinds.get(ending) or self._learn(ending)
        context.observer.finished(
            Record(kind, time.time(), seconds, ids[:32], ids[32:64], received, sent)
        )

    def left(
        self,
        decision: Decision | None,
        ids: str,
        seconds: float,
        received: int,
        *,
        sent: tuple[str | None, Service] | None = None,
    ) -> None:
        """The client left before it was answered.

        Args:
            decision: As for `finish`, and likewise `ids`, `seconds` and `received`.
            ids: Of the request.
            seconds: Since it came.
            received: Bytes of its body.
            sent: The model's variant and the service, where the request was sent on.
        """
        variant, service = sent or (None, None)
        self.finish((_CLIENT_LEFT, variant, service, None), decision, ids, seconds, received, 0)

    def _learn(self, ending: _Ending) -> Kind:
        status, variant, service, replica = ending
        route, principal = self._repeat.route, self._repeat.principal
        facts = Facts(
            route.method,
            route.template,
            status,
            variant,
            principal.plan,
            principal.identity.subject,
            principal.identity.tenant_id,
            service,
            replica,
            None,
        )
        if len(self._kinds) >= _MAX_KINDS:
            self._kinds.clear()
        kind = self._kinds[ending] = self._context.observer.kind(facts)
        return kind
