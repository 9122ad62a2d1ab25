"""What is counted of calls; content-free."""

from collections.abc import Sequence

from prometheus_client import Counter

from gateway.models.calls import CallStatus, Degradation
from shared.metrics import Metrics

_STEPS = frozenset(
    {
        "analysis",
        "clip",
        "diarization",
        "moments",
        "recording",
        "sentiment",
        "storage",
        "transcript",
    }
)


class CallMonitor:
    """Metrics of calls."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._calls = Counter(
            "speechgate_calls",
            "Recorded calls that were analyzed, by how whole the answer was",
            ["status"],
            registry=registry,
        )
        self._degraded = Counter(
            "speechgate_call_steps_missing",
            "Steps that an answer about a call had to do without",
            ["step"],
            registry=registry,
        )
        self._seconds = Counter(
            "speechgate_call_seconds", "Seconds of recorded calls", registry=registry
        )
        self._replays = Counter(
            "speechgate_call_replays",
            "Coachable moments that were replayed, with the clip or without",
            ["clip"],
            registry=registry,
        )

    def analyzed(self, status: CallStatus, seconds: float) -> None:
        """A call was answered."""
        self._calls.labels(status.value).inc()
        self._seconds.inc(seconds)

    def missing(self, degraded: Sequence[Degradation]) -> None:
        """An answer was not whole."""
        for one in degraded:
            self._degraded.labels(one.step if one.step in _STEPS else "other").inc()

    def replayed(self, *, with_clip: bool) -> None:
        """A moment was spoken."""
        self._replays.labels("yes" if with_clip else "no").inc()
