"""Bounds on one request."""

from dataclasses import dataclass

from shared.text.bounds import TextBounds


@dataclass(frozen=True, slots=True)
class NlpLimits:
    """Of all tasks.

    Attributes:
        bounds: On the texts.
        batch_sentences: In one call to the model.
        parallel_batches: Calls of one request at once.
        sentences: Translated in one request.
    """

    bounds: TextBounds
    batch_sentences: int
    parallel_batches: int
    sentences: int = 5_000
