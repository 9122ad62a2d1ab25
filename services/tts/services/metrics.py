"""What the TTS service counts."""

from prometheus_client import Counter, Histogram

from shared.metrics import Metrics


class TtsMetrics:
    """Characters in, seconds of audio out, and how fast."""

    def __init__(self, metrics: Metrics) -> None:
        self._characters = Counter(
            "speechgate_tts_characters",
            "Characters spoken",
            ["language"],
            registry=metrics.registry,
        )
        self._audio = Counter(
            "speechgate_tts_audio_seconds",
            "Seconds of audio made",
            ["language", "format"],
            registry=metrics.registry,
        )
        self._chunks = Histogram(
            "speechgate_tts_request_chunks",
            "Chunks of one request",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=metrics.registry,
        )
        self._speed = Histogram(
            "speechgate_tts_speed_ratio",
            "Seconds of audio made in one second",
            buckets=(0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
            registry=metrics.registry,
        )

    def started(self, chunks: int) -> None:
        """A request goes to the model."""
        self._chunks.observe(chunks)

    def finished(
        self, language: str, audio_format: str, characters: int, audio_s: float, took_s: float
    ) -> None:
        """A request was spoken.

        Args:
            language: One that the model serves: the label must stay bounded.
            audio_format: One of ours.
            characters: Spoken.
            audio_s: Seconds of audio.
            took_s: Seconds until it was encoded.
        """
        self._characters.labels(language).inc(characters)
        self._audio.labels(language, audio_format).inc(audio_s)
        if took_s > 0:
            self._speed.observe(audio_s / took_s)
