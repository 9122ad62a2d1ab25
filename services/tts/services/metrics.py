"""What the TTS service counts."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics import LATENCY_BUCKETS_S, Metrics


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

        self._first_audio = Histogram(
            "speechgate_tts_first_audio_seconds",
            "Time until the first bytes of a streamed answer are there",
            ["format"],
            buckets=LATENCY_BUCKETS_S,
            registry=metrics.registry,
        )
        self._broken = Counter(
            "speechgate_tts_broken_streams",
            "Streamed answers that ended before their end, by code",
            ["code"],
            registry=metrics.registry,
        )
        self._cache = Counter(
            "speechgate_tts_cache_lookups",
            "Parts by where their sound came from: hit, miss, joined (made for another), off",
            ["result"],
            registry=metrics.registry,
        )
        self._cache_bytes = Gauge(
            "speechgate_tts_cache_bytes", "Sound that is kept in memory", registry=metrics.registry
        )

    def cache(self, result: str) -> None:
        """A part was looked up; `hit`, `miss`, `joined` or `off`."""
        self._cache.labels(result).inc()

    def cache_bytes(self, size: int) -> None:
        """So much sound is kept."""
        self._cache_bytes.set(size)

    def first_audio(self, audio_format: str, took_s: float) -> None:
        """A streamed answer has its first bytes."""
        self._first_audio.labels(audio_format).observe(took_s)

    def broken(self, code: str) -> None:
        """A streamed answer ended early; the code is one of our own."""
        self._broken.labels(code).inc()

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
