"""Which replica gets an attempt, within the bounds of each replica and of the service."""

import math

from gateway.models.routes import Priority
from gateway.upstream.outcomes import Outcomes
from gateway.upstream.protocol import ConnectFailed, NotSent, UpstreamBroken, UpstreamRequest
from gateway.upstream.replica import Replica
from gateway.upstream.replica_set import ReplicaSet, Saturated

_SHARE_OF_MOST = 0.9  # The rest of the places is for live streams.


class Choice:
    """Chooses among the replicas of one service; a priority of None asks for a tunnel.

    Args:
        replicas: Of the service.
        outcomes: Says what is wrong when there is no choice.
        max_in_flight: Requests at one replica.
        max_in_service: Requests at all of them together.
        max_tunnels: WebSocket connections to one replica.
    """

    def __init__(
        self,
        replicas: ReplicaSet,
        outcomes: Outcomes,
        max_in_flight: int,
        max_in_service: int | None,
        max_tunnels: int,
    ) -> None:
        self._replicas = replicas
        self._outcomes = outcomes
        self._limits = _limits(max_in_flight)
        self._service_limits = _limits(max_in_service)
        self._max_tunnels = max_tunnels

    def first(self, request: UpstreamRequest, priority: int | None) -> Replica:
        """Where the first attempt goes.

        Raises:
            SpeechgateError: No replica may be used, or none has room.
        """
        if priority is not None and self._replicas.in_flight >= self._service_limits[priority]:
            raise self._outcomes.saturated()
        try:
            if request.affinity is not None:
                return self._owner(request.affinity, priority)
            replica = self._pick(priority)
        except Saturated as error:
            raise self._outcomes.saturated() from error
        if replica is None:
            raise self._outcomes.ejected()
        return replica

    def steady(self, priority: int) -> Replica | None:
        """As `first`, where there is nothing to consider but the load; None: ask `first`."""
        replicas = self._replicas
        if not replicas.steady or replicas.in_flight >= self._service_limits[priority]:
            return None
        try:
            replica = replicas.choose(self._limits[priority])
        except Saturated:
            return None
        return None if replica is None or replica.troubled else replica

    def second(
        self,
        first: Replica,
        request: UpstreamRequest,
        priority: int | None,
        failure: ConnectFailed | UpstreamBroken,
    ) -> Replica | None:
        """Where a second attempt goes, to another replica if there is one; None: nowhere."""
        if isinstance(failure, UpstreamBroken) and not (request.idempotent and failure.replayable):
            return None
        other = None
        if request.affinity is None:
            try:
                other = self._pick(priority, first)
            except Saturated:
                return None
        if other is None and (
            isinstance(failure, (NotSent, UpstreamBroken)) and not first.unreachable
        ):
            return first  # On another connection.
        return other

    def _owner(self, token: str, priority: int | None) -> Replica:
        owner = self._replicas.owner(token)
        if owner is None:
            raise self._outcomes.session_lost()
        if priority is None:
            full = owner.tunnels >= self._max_tunnels
        else:
            full = owner.in_flight >= self._limits[priority]
        if full:
            raise Saturated
        return owner

    def _pick(self, priority: int | None, tried: Replica | None = None) -> Replica | None:
        if priority is None:
            return self._replicas.choose_for_tunnel(self._max_tunnels, tried)
        return self._replicas.choose(self._limits[priority], tried)


def _limits(places: int | None) -> list[float]:
    """Places that requests may take, by priority."""
    if places is None:
        return [math.inf] * len(Priority)
    return [
        places if priority is Priority.LIVE else math.ceil(places * _SHARE_OF_MOST)
        for priority in Priority
    ]
