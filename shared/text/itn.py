"""Inverse text normalization of English: numbers, dates, times and money as they are written.

By rules, over words with their times. What no rule understands stays as it is; every given word
is in exactly one of the written ones, in order. The work is linear in the number of words.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from shared.text.itn_amounts import match_amount, match_ordinal, match_run
from shared.text.itn_dates import (
    Match,
    Piece,
    match_date,
    match_day_of_month,
    match_decade,
    match_time,
    match_year,
)
from shared.text.itn_lexicon import STARTS
from shared.text.itn_numbers import Lexemes, closing_of, lexemes_of

LANGUAGES = frozenset({"en"})
"""Languages that these rules are of."""

# In this order: the first that understands what begins at a word writes it.
_MATCHERS: tuple[Callable[[Lexemes, int], Match | None], ...] = (
    match_date,
    match_day_of_month,
    match_time,
    match_decade,
    match_year,
    match_amount,
    match_ordinal,
    match_run,
)


class TimedWord(Protocol):
    """A word with its times in seconds and its confidence."""

    @property
    def word(self) -> str:
        """How it is written."""

    @property
    def start(self) -> float:
        """When it begins."""

    @property
    def end(self) -> float:
        """When it ends."""

    @property
    def confidence(self) -> float:
        """0 to 1."""


W = TypeVar("W", bound=TimedWord)


def spans(words: Sequence[str]) -> list[Piece]:
    """How the words are written: pieces that cover them without a gap.

    Args:
        words: Without white space inside.
    """
    lexemes = lexemes_of(words)
    found: list[Piece] = []
    place = 0
    while place < len(lexemes):
        lexeme = lexemes[place]
        match = None
        if lexeme.text in STARTS:
            match = next(filter(None, (matcher(lexemes, place) for matcher in _MATCHERS)), None)
        if match is None:
            if lexeme.index >= 0:
                found.append(Piece(words[lexeme.index], lexeme.index, lexeme.index + 1))
            place += 1
            continue
        found += (_in_words(piece, lexemes, words) for piece in match)
        place = match[-1].end
    return found


def _in_words(piece: Piece, lexemes: Lexemes, words: Sequence[str]) -> Piece:
    """From places of lexemes to those of the given words."""
    first, last = lexemes[piece.first].index, lexemes[piece.end - 1].index
    spoken = " ".join(one.text for one in lexemes[piece.first : piece.end])
    if piece.text == spoken:  # Nothing was rewritten: capitals stay.
        return Piece(" ".join(words[first : last + 1]), first, last + 1)
    closing = closing_of(words[last])
    if piece.text.endswith("."):
        closing = closing.removeprefix(".")
    return Piece(piece.text + closing, first, last + 1)


def normalize(words: Sequence[W], rebuild: Callable[[Sequence[W], str], W]) -> list[W]:
    """The words as they are written; those that stay are the same objects.

    Args:
        words: Of one utterance: a number does not go on in the next.
        rebuild: Makes one word of several with a new text; see `merged_times`.
    """
    return [
        words[piece.first]
        if piece.end - piece.first == 1 and piece.text == words[piece.first].word
        else rebuild(words[piece.first : piece.end], piece.text)
        for piece in spans([word.word for word in words])
    ]


def merged_times(words: Sequence[TimedWord]) -> tuple[float, float, float]:
    """Start, end and mean confidence of words that become one."""
    mean = sum(word.confidence for word in words) / len(words)
    return words[0].start, words[-1].end, round(mean, 4)


def normalize_text(text: str) -> str:
    """A text as it is written; white space becomes single spaces."""
    return " ".join(piece.text for piece in spans(text.split()))
