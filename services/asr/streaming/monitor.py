"""What is counted of streams; content-free."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics import Metrics


class StreamMonitor:
    """Metrics of live recognition; `model` is the one that serves, a variant included.

    Args:
        metrics: Of the process.
        max_streams: That may be open at once.
    """

    def __init__(self, metrics: Metrics, max_streams: int = 0) -> None:
        registry = metrics.registry
        most = Gauge(
            "speechgate_asr_streams_max", "Streams that may be open here", registry=registry
        )
        most.set(max_streams)
        self._open = Gauge(
            "speechgate_asr_streams_open", "Open streams", ["model"], registry=registry
        )
        self._seconds = Counter(
            "speechgate_asr_stream_seconds",
            "Seconds of audio that streams brought",
            ["model"],
            registry=registry,
        )
        self._finals = Counter(
            "speechgate_asr_stream_finals", "Finals sent", ["model"], registry=registry
        )
        self._ended = Counter(
            "speechgate_asr_streams_ended",
            "Streams that ended, by how",
            ["model", "status"],
            registry=registry,
        )
        buckets = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 5.0)
        self._partial = Histogram(
            "speechgate_asr_stream_partial_seconds",
            "From the arrival of the last audio that a partial covers to its sending",
            ["model"],
            buckets=buckets,
            registry=registry,
        )
        self._final = Histogram(
            "speechgate_asr_stream_final_seconds",
            "From the end of an utterance to its final",
            ["model"],
            buckets=buckets,
            registry=registry,
        )

    def opened(self, model: str) -> None:
        """A stream began."""
        self._open.labels(model).inc()

    def ended(self, model: str, status: str, seconds: float) -> None:
        """A stream ended that brought so many seconds of audio."""
        self._open.labels(model).dec()
        self._ended.labels(model, status).inc()
        self._seconds.labels(model).inc(seconds)

    def partial(self, model: str, seconds: float) -> None:
        """A partial was sent."""
        self._partial.labels(model).observe(seconds)

    def final(self, model: str, seconds: float) -> None:
        """A final was made."""
        self._finals.labels(model).inc()
        self._final.labels(model).observe(seconds)
