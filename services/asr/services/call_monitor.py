"""What is counted of calls and their recordings; content-free."""

from prometheus_client import Counter

from shared.metrics import Metrics


class RecordingMonitor:
    """Metrics of kept recordings."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._kept = Counter(
            "speechgate_recordings_kept", "Recordings of calls that were kept", registry=registry
        )
        self._bytes = Counter(
            "speechgate_recordings_kept_bytes", "Their encrypted bytes", registry=registry
        )
        self._lost = Counter(
            "speechgate_recordings_not_kept",
            "Recordings that should have been kept and were not, by code",
            ["code"],
            registry=registry,
        )
        self._expired = Counter(
            "speechgate_recordings_expired", "Recordings deleted by their age", registry=registry
        )
        self._replayed = Counter(
            "speechgate_recordings_replayed", "Clips that were heard again", registry=registry
        )

    def kept(self, size: int) -> None:
        """A recording was stored."""
        self._kept.inc()
        self._bytes.inc(size)

    def not_kept(self, code: str) -> None:
        """A recording was not stored."""
        self._lost.labels(code).inc()

    def expired(self, count: int) -> None:
        """Recordings were deleted by their age."""
        self._expired.inc(count)

    def replayed(self) -> None:
        """A clip was heard again."""
        self._replayed.inc()
