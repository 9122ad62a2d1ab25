"""The replicas of one service, and which of them gets a request."""

import random
from collections.abc import Callable, Sequence

from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.replica import Replica, State
from shared.logging import get_logger

_logger = get_logger(__name__)
_random = random.random


class Saturated(Exception):
    """Every replica that may be used has as much as it may have."""


class ReplicaSet:
    """Changes while requests are under way; what is removed keeps those that it has.

    Args:
        service: Label of metrics and logs.
        metrics: Where replicas are shown.
        clock: Monotonic seconds.
        slow_start_s: In this time the share of a new replica grows to the whole.

    Attributes:
        replicas: Now.
        in_flight: Requests at all of them, and at those that were removed.
        steady: Nothing is to be considered about them but their load.
    """

    __slots__ = (
        "_by_token",
        "_clock",
        "_metrics",
        "_number",
        "_service",
        "_slow_start_s",
        "in_flight",
        "replicas",
        "steady",
    )

    def __init__(
        self,
        service: str,
        metrics: UpstreamMetrics,
        clock: Callable[[], float],
        *,
        slow_start_s: float,
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._clock = clock
        self._slow_start_s = slow_start_s
        self.steady = False
        self._by_token: dict[str, Replica] = {}
        self._number = metrics.replicas.labels(service)
        self.replicas: list[Replica] = []
        self.in_flight = 0

    def apply(self, urls: Sequence[str]) -> None:
        """Use these replicas from now on."""
        known = {replica.url: replica for replica in self.replicas}
        if urls and list(known) == list(urls):
            return
        # The first ones have nobody to take their share meanwhile.
        slow_start_s = self._slow_start_s if known else 0.0
        replicas = []
        for url in dict.fromkeys(urls):
            replica = known.pop(url, None)
            if replica is None:
                replica = Replica(url, self._clock, slow_start_s=slow_start_s)
                self._metrics.export(self._service, replica)
                _logger.info("replica found", upstream=self._service, replica=url)
            replicas.append(replica)
        for replica in known.values():
            self._metrics.forget(self._service, replica)
            _logger.info("replica removed", upstream=self._service, replica=replica.url)
        self.replicas = replicas
        self._by_token = {replica.token: replica for replica in replicas}
        self._number.set(len(replicas))
        self.steady = False

    def owner(self, token: str) -> Replica | None:
        """The replica that a session belongs to, if it can be reached."""
        replica = self._by_token.get(token)
        return None if replica is None or replica.unreachable else replica

    def disturbed(self) -> None:
        """The state of a replica has changed."""
        self.steady = False

    def has_other(self, replica: Replica) -> bool:
        """Whether another replica is in use."""
        return any(r is not replica and r.state is State.CLOSED for r in self.replicas)

    def choose(self, limit: float, tried: Replica | None = None) -> Replica | None:
        """The less loaded of two random replicas that may be used (Mitzenmacher, 2001).

        Args:
            limit: Requests at one replica.
            tried: Not this one.

        Raises:
            Saturated: Each has `limit` requests.
        """
        usable = self.replicas if self.steady and tried is None else self._usable(tried)
        number = len(usable)
        if number == 1:
            chosen = usable[0]
        elif number:
            first = int(_random() * number)
            second = int(_random() * (number - 1))
            if second >= first:
                second += 1
            # The order of the two is random, and so is the choice between equals.
            chosen, other = usable[first], usable[second]
            if other.in_flight < chosen.in_flight:
                chosen = other
        else:
            return None
        if chosen.in_flight >= limit:
            chosen = min(usable, key=lambda replica: replica.in_flight)
            if chosen.in_flight >= limit:
                raise Saturated
        return chosen

    def choose_for_tunnel(self, limit: int, tried: Replica | None = None) -> Replica | None:
        """As `choose`, by the number of tunnels, which last: the least loaded of all."""
        usable = self._usable(tried)
        if not usable:
            return None
        chosen = min(usable, key=lambda replica: (replica.tunnels, _random()))
        if chosen.tunnels >= limit:
            raise Saturated
        return chosen

    def _usable(self, tried: Replica | None) -> list[Replica]:
        now = self._clock()
        self.steady = all(replica.steady(now) for replica in self.replicas)
        able = [r for r in self.replicas if r is not tried and r.available(now)]
        staying = [r for r in able if not r.draining(now)]
        if staying:
            # One that is new is left out of most choices.
            return [r for r in staying if _random() < r.share(now)] or staying
        if able or tried is not None:
            return able
        # Bad answers never take all of them out.
        return [replica for replica in self.replicas if not replica.unreachable]
