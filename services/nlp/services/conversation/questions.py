"""Questions: by their mark where there is punctuation, by their first words where there is none."""

from bisect import bisect_left
from collections.abc import Iterator

from services.nlp.services.conversation.document import QUESTIONS_CLOSED, QUESTIONS_OPEN
from services.nlp.services.conversation.transcript import Said
from services.nlp.services.conversation.words import ASKED, BOUNDARIES, STOP, Word

_APART = 4
"""Words between the beginnings of two questions that no mark divides."""


def questions_in(said: Said) -> tuple[int, int]:
    """How many open and closed questions a segment asks."""
    if any(word.text in BOUNDARIES for word in said.words):
        return _by_marks(said)
    return _by_words(said)


def _by_marks(said: Said) -> tuple[int, int]:
    begun = sorted(first.start for first, _ in said.hits.get(QUESTIONS_OPEN, ()))
    opened = closed = 0
    for start, end, asked in _sentences(said.words):
        if asked:
            is_open = bisect_left(begun, end) > bisect_left(begun, start)
            opened += is_open
            closed += not is_open
    return opened, closed


def _sentences(words: tuple[Word, ...]) -> Iterator[tuple[int, int, bool]]:
    """Begin and end in the text, and whether a question mark ends it; the last may have no mark."""
    start: int | None = None
    for word in words:
        if start is None:
            start = word.start
        if word.text in (STOP, ASKED):
            yield start, word.end, word.text == ASKED
            start = None


def _by_words(said: Said) -> tuple[int, int]:
    places = {word.start: index for index, word in enumerate(said.words)}
    begun = sorted(
        (places[first.start], name == QUESTIONS_OPEN)
        for name in (QUESTIONS_OPEN, QUESTIONS_CLOSED)
        for first, _ in said.hits.get(name, ())
    )
    opened = closed = 0
    last = -_APART
    for place, is_open in begun:
        if place - last < _APART:
            continue
        last = place
        opened += is_open
        closed += not is_open
    return opened, closed
