"""What the NLP service counts."""

from prometheus_client import Counter, Histogram

from shared.metrics import Metrics


class NlpMetrics:
    """Characters and batches, by task."""

    def __init__(self, metrics: Metrics) -> None:
        self._characters = Counter(
            "speechgate_nlp_characters",
            "Characters of texts that were worked on",
            ["task", "language"],
            registry=metrics.registry,
        )
        self._batches = Histogram(
            "speechgate_nlp_batch_size",
            "Texts or sentences in one call to the model",
            ["task"],
            buckets=(1, 2, 4, 8, 16, 32, 64, 90),
            registry=metrics.registry,
        )

    def batch(self, task: str, size: int) -> None:
        """A batch goes to the model."""
        self._batches.labels(task).observe(size)

    def finished(self, task: str, language: str, characters: int) -> None:
        """A request was answered.

        Args:
            task: Name of the task.
            language: Language or pair that a model serves: the label must stay bounded.
            characters: Of all texts.
        """
        self._characters.labels(task, language).inc(characters)
