"""What the end of an attempt means: for its replica, for the metrics, and for the client."""

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.protocol import (
    ConnectFailed,
    NotSent,
    UpstreamBroken,
    UpstreamResponse,
    UpstreamTimeout,
)
from gateway.upstream.replica import Replica
from gateway.upstream.replica_set import ReplicaSet
from shared.logging import get_logger
from shared.problem import DeadlineExceeded, SpeechgateError

_logger = get_logger(__name__)
_UNAVAILABLE, _SERVER_ERROR = 503, 500
_SHUTTING_DOWN = b'"shutting_down"'
_KINDS = ("connect", "not_sent", "broken", "timeout")
_EJECTING = (*_KINDS, "answer", "health")


class Outcomes:
    """Tells replicas how their requests ended.

    Args:
        service: Label of metrics and logs.
        replicas: Of the service.
        metrics: Where failures are counted.
    """

    def __init__(self, service: str, replicas: ReplicaSet, metrics: UpstreamMetrics) -> None:
        self._service = service
        self._replicas = replicas
        self._failures = {
            kind: metrics.failures.labels(service, kind)
            for kind in (*_KINDS, "saturated", "ejected")
        }
        self._ejections = {kind: metrics.ejections.labels(service, kind) for kind in _EJECTING}

    def failed(self, replica: Replica, error: Exception) -> None:
        """There was no answer; a failure of the client's side is none of the replica's."""
        if isinstance(error, NotSent):
            self._failures["not_sent"].inc()  # What its new connections do tells more.
        elif isinstance(error, ConnectFailed):
            self._blame(replica, "connect", unreachable=True)
        elif isinstance(error, UpstreamBroken):
            self._blame(replica, "broken", unreachable=True)
        elif isinstance(error, UpstreamTimeout):
            self._blame(replica, "timeout", unreachable=False)

    def answered(self, replica: Replica, response: UpstreamResponse) -> tuple[bytes, bool] | None:
        """There was an answer; what was taken of it to look at it.

        A service that says 503 itself is alive; what it lacks, another replica lacks too.
        """
        early = None
        if response.status == _UNAVAILABLE:
            early = response.take()
            if _SHUTTING_DOWN in early[0] or (b"connection", b"close") in response.headers:
                replica.drain()
                self._replicas.disturbed()
        if response.status < _SERVER_ERROR or early is not None:
            if replica.troubled:
                replica.succeeded()
        elif replica.failed(unreachable=False, may_open=self._replicas.has_other(replica)):
            self._ejected(replica, "answer")
        return early

    def unhealthy(self, replica: Replica) -> None:
        """Its `/health` did not answer."""
        if replica.missed():
            self._ejected(replica, "health")

    def ejected(self) -> SpeechgateError:
        """No replica may be used."""
        self._failures["ejected"].inc()
        return self.unavailable()

    def saturated(self) -> SpeechgateError:
        """Every replica has as much as it may have."""
        self._failures["saturated"].inc()
        return UpstreamUnavailable(
            f"The {self._service} service has too much to do.", code="upstream_saturated"
        )

    def unavailable(self) -> SpeechgateError:
        """No replica can be connected to."""
        return UpstreamUnavailable(f"The {self._service} service does not answer.")

    def session_lost(self) -> SpeechgateError:
        """The replica that a session lives at is gone."""
        return UpstreamUnavailable(
            f"The {self._service} service lost the session.", code="session_lost"
        )

    def told(self, *failures: Exception) -> SpeechgateError:
        """What the client is told of the attempts."""
        if any(isinstance(failure, UpstreamTimeout) for failure in failures):
            return DeadlineExceeded(
                f"The {self._service} service took too long.", code="upstream_timeout"
            )
        if any(isinstance(failure, (NotSent, UpstreamBroken)) for failure in failures):
            # It may have begun.
            return UpstreamUnavailable(
                f"The {self._service} service broke off.", code="upstream_broken"
            )
        return self.unavailable()

    def _blame(self, replica: Replica, kind: str, *, unreachable: bool) -> None:
        self._failures[kind].inc()
        may_open = unreachable or self._replicas.has_other(replica)
        if replica.failed(unreachable=unreachable, may_open=may_open):
            self._ejected(replica, kind)

    def _ejected(self, replica: Replica, kind: str) -> None:
        self._replicas.disturbed()
        self._ejections[kind].inc()
        _logger.warning("replica ejected", upstream=self._service, replica=replica.url, kind=kind)
