"""Readings of each word, from the whole-utterance hypotheses of the model."""

from difflib import SequenceMatcher

from services.asr.models.transcript import Recognition, WordAlternatives

_DIGITS = 4


def word_alternatives(found: Recognition, best: int) -> list[WordAlternatives]:
    """Align each hypothesis with the best one and collect what it puts in each word's place.

    A hypothesis of rank r weighs 1/r: the scales of models' scores differ, their order does not.

    Args:
        found: A recognition with `alternatives`, best first.
        best: Readings of each word at most.
    """
    words = found.text.split()
    readings: list[dict[str, float]] = [{word: 1.0} for word in words]
    total = 1.0
    for rank, hypothesis in enumerate(found.alternatives[1:], start=2):
        weight = 1.0 / rank
        total += weight
        for position, reading in _aligned(words, hypothesis.text.split()):
            readings[position][reading] = readings[position].get(reading, 0.0) + weight
    return [
        WordAlternatives(
            word,
            tuple(
                (reading, round(weight / total, _DIGITS))
                for reading, weight in sorted(counted.items(), key=lambda pair: -pair[1])[:best]
            ),
        )
        for word, counted in zip(words, readings, strict=True)
    ]


def _aligned(words: list[str], other: list[str]) -> list[tuple[int, str]]:
    """For each word, what the other hypothesis has in its place; nothing where it has no word."""
    matcher = SequenceMatcher(None, words, other, autojunk=False)
    pairs: list[tuple[int, str]] = []
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag in ("equal", "replace"):
            pairs.extend(zip(range(start, end), other[other_start:other_end], strict=False))
    return pairs
