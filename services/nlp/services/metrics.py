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

        marked = Counter(
            "speechgate_nlp_marked_sentences",
            "Sentences with placeholders, tags or terms: marks kept by the model, or split at them",
            ["outcome"],
            registry=metrics.registry,
        )
        self._kept, self._split = marked.labels("kept"), marked.labels("split")
        self._found = Counter(
            "speechgate_nlp_findings",
            "Named entities and personal data that were found, by kind",
            ["task", "kind"],
            registry=metrics.registry,
        )
        self._missed = Counter(
            "speechgate_nlp_glossary_missed",
            "Translations without the tenant's glossary, because the database did not answer",
            registry=metrics.registry,
        )

    def found(self, task: str, kind: str, count: int) -> None:
        """Entities or personal data of one kind; kinds are the code's own."""
        self._found.labels(task, kind).inc(count)

    def batch(self, task: str, size: int) -> None:
        """A batch goes to the model."""
        self._batches.labels(task).observe(size)

    def marked(self, *, kept: int, split: int) -> None:
        """Sentences whose marks came back from the model, and those that were split at them."""
        self._kept.inc(kept)
        self._split.inc(split)

    def glossary_missed(self) -> None:
        """A translation goes without the tenant's glossary."""
        self._missed.inc()

    def finished(self, task: str, language: str, characters: int) -> None:
        """A request was answered.

        Args:
            task: Name of the task.
            language: Language or pair that a model serves: the label must stay bounded.
            characters: Of all texts.
        """
        self._characters.labels(task, language).inc(characters)
