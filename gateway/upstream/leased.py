"""An answer, and the place at a replica that it takes."""

from collections.abc import Sequence

from gateway.upstream.protocol import Header, UpstreamResponse
from gateway.upstream.replica import Replica
from gateway.upstream.replica_set import ReplicaSet


class LeasedResponse:
    """An answer that keeps its place until it is closed.

    Attributes:
        replica: Base URL of the replica that answered.
    """

    __slots__ = ("_early", "_place", "_replicas", "_response", "headers", "replica", "status")

    def __init__(
        self,
        response: UpstreamResponse,
        replica: Replica,
        replicas: ReplicaSet,
        early: tuple[bytes, bool] | None = None,
    ) -> None:
        self._response = response
        self._place: Replica | None = replica
        self._replicas = replicas
        self._early = early  # Taken already, to look at it.
        self.replica = replica.url
        self.status: int = response.status
        self.headers: Sequence[Header] = response.headers

    def take(self) -> tuple[bytes, bool]:
        """What has arrived, and whether more may follow; see `UpstreamResponse`."""
        if self._early is not None:
            early, self._early = self._early, None
            return early
        return self._response.take()

    async def read(self) -> tuple[bytes, bool]:
        """The next part, and whether more may follow; see `UpstreamResponse`."""
        if self._early is not None:
            early, self._early = self._early, None
            if early[0] or not early[1]:
                return early
        return await self._response.read()

    def close(self) -> None:
        """Give everything back; more than once is harmless."""
        place = self._place
        if place is not None:
            self._place = None
            place.in_flight -= 1
            self._replicas.in_flight -= 1
            self._response.close()
