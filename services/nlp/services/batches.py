"""Texts as batches for a model with several instances."""

from collections.abc import Sequence

_SMALLEST_BATCH = 8
"""Fewer sentences are not worth a call of their own."""


def make_batches(texts: Sequence[str], *, parallel: int, largest: int) -> list[Sequence[str]]:
    """Batches in order and of one size, give or take one.

    Their number is a multiple of `parallel` where there are enough texts: a last batch of its own
    would keep one instance of the model busy while the others are idle.
    """
    if not texts:
        return []
    count = -(-len(texts) // largest)
    if count > parallel or len(texts) >= parallel * _SMALLEST_BATCH:
        count = -(-count // parallel) * parallel
    else:
        count = max(count, -(-len(texts) // _SMALLEST_BATCH))
    count = min(count, len(texts))
    size, longer = divmod(len(texts), count)
    batches = []
    start = 0
    for number in range(count):
        end = start + size + (number < longer)
        batches.append(texts[start:end])
        start = end
    return batches


def staggered(texts: Sequence[str], *, parallel: int, largest: int) -> list[Sequence[str]]:
    """The first batches of so many texts that they do not fit into `parallel` ones.

    One of them is half as long as the others: batches that begin together would end together, and
    then every instance of the model is idle until its next one comes.
    """
    ends = [-(-largest // 2) + number * largest for number in range(parallel)]
    return [texts[max(end - largest, 0) : end] for end in ends]
