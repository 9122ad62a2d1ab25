"""What the service counts; content-free."""

from prometheus_client import Counter, Histogram

from shared.metrics import Metrics


class AsrMonitor:
    """Metrics of recognition."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._audio = Counter(
            "speechgate_asr_audio_seconds",
            "Seconds of recognized audio",
            ["model", "language"],
            registry=registry,
        )
        self._segments = Counter(
            "speechgate_asr_segments", "Segments sent to the model", ["model"], registry=registry
        )
        self._factor = Histogram(
            "speechgate_asr_real_time_factor",
            "Processing time over audio length of one request",
            ["model"],
            buckets=(0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0),
            registry=registry,
        )
        self._error_rate = Histogram(
            "speechgate_asr_word_error_rate",
            "Word error rate of transcripts with a reference, by how the model was chosen",
            ["model", "used"],
            buckets=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0),
            registry=registry,
        )
        self._requests = Counter(
            "speechgate_asr_requests",
            "Requests that reached recognition, by how they ended",
            ["model", "status"],
            registry=registry,
        )

    def ended(self, model: str, status: str) -> None:
        """A request ended."""
        self._requests.labels(model, status).inc()

    def judged(self, model: str, used: str, word_error_rate: float) -> None:
        """A transcript was compared with its reference; `used` as in `shared.serving.Served`."""
        self._error_rate.labels(model, used).observe(word_error_rate)

    def recognized(
        self, model: str, language: str, audio_seconds: float, segments: int, seconds: float
    ) -> None:
        """A request was recognized in `seconds`."""
        self._audio.labels(model, language).inc(audio_seconds)
        self._segments.labels(model).inc(segments)
        if audio_seconds:
            self._factor.labels(model).observe(seconds / audio_seconds)
