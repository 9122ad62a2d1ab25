"""What is counted of live requests; content-free."""

from prometheus_client import Counter, Gauge

from shared.metrics import Metrics


class LiveMonitor:
    """Metrics of live synthesis.

    Args:
        metrics: Of the process.
        max_streams: That may be open at once.
    """

    def __init__(self, metrics: Metrics, max_streams: int = 0) -> None:
        most = Gauge(
            "speechgate_tts_streams_max",
            "Live streams that may be open here",
            registry=metrics.registry,
        )
        most.set(max_streams)
        self._open = Gauge(
            "speechgate_tts_streams_open", "Open live streams", registry=metrics.registry
        )
        self._ended = Counter(
            "speechgate_tts_streams_ended",
            "Live streams that ended, by how: succeeded, or a code",
            ["status"],
            registry=metrics.registry,
        )

    def opened(self) -> None:
        """A stream began."""
        self._open.inc()

    def ended(self, status: str) -> None:
        """A stream ended; the status is one of our own."""
        self._open.dec()
        self._ended.labels(status).inc()
