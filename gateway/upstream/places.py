"""Places at replicas for requests that can be sent at once, without waiting for anything."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.upstream.answer import Answer
from gateway.upstream.asked import AskedConnection
from gateway.upstream.budget import RetryBudget
from gateway.upstream.choice import Choice
from gateway.upstream.protocol import UpstreamClient
from gateway.upstream.replica import Replica
from gateway.upstream.replica_set import ReplicaSet


class Sent(NamedTuple):
    """A request that is under way.

    Attributes:
        replica: Where it went, by `begin`.
        answer: To it.
        at: `loop.time()` when it was sent.
    """

    replica: Replica
    answer: Answer
    at: float


class Places:
    """The places of one service; its pool counts the same ones.

    Args:
        replicas: Of the service.
        choice: Among them.
        client: Has the connections.
        budget: Of retries, for which every request counts.
        observe: Is told the seconds from a request to its answer.
    """

    __slots__ = ("_budget", "_choice", "_client", "_observe", "_replicas")

    def __init__(
        self,
        replicas: ReplicaSet,
        choice: Choice,
        client: UpstreamClient,
        budget: RetryBudget,
        observe: Callable[[float], None],
    ) -> None:
        self._replicas = replicas
        self._choice = choice
        self._client = client
        self._budget = budget
        self._observe = observe

    def begin(self, now: float, priority: int) -> tuple[Replica, AskedConnection] | None:
        """A place and a connection; `end` or `answered` gives the place back.

        Args:
            now: That of the running loop.
            priority: All but live traffic leave a tenth of the places free.

        Returns:
            None where there is anything to consider or to wait for: `ReplicaPool.send` does.
        """
        replica = self._choice.steady(priority)
        if replica is None:
            return None
        connection = self._client.take_idle(replica.url)
        if connection is None:
            return None
        self._budget.request(now)
        replica.in_flight += 1
        self._replicas.in_flight += 1
        return replica, connection

    def end(self, replica: Replica) -> None:
        """Give a place back."""
        replica.in_flight -= 1
        self._replicas.in_flight -= 1

    def answered(self, replica: Replica, sent_at: float, now: float) -> None:
        """Give a place back after an answer that was no failure."""
        replica.in_flight -= 1
        self._replicas.in_flight -= 1
        replica.heard = now
        self._observe(now - sent_at)
