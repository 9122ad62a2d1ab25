"""How a text is spoken: numbers, dates, money and the like in words.

`normalize` gives pieces, each with what was written and what is said of it. English is read by
rules; of other languages, numbers and money where a library knows them; what is left over stays
as it is, for engines read many languages by themselves. The work is linear in the text.
"""

import re
from collections.abc import Sequence

from services.tts.services.normalization.english import read_english
from services.tts.services.normalization.others import knows, read_other
from services.tts.services.normalization.words import FIXED, Fixed, Piece, read_words, split_words

__all__ = ["FIXED", "Fixed", "Piece", "join_source", "join_spoken", "normalize", "normalize_text"]


def normalize(text: str, language: str, fixed: Sequence[Fixed] = ()) -> list[Piece]:
    """The pieces of a text, in order.

    Args:
        text: One sentence or a few; `FIXED` stands for each of `fixed`, in order.
        language: ISO 639 code, with a region if wanted: `en-GB` reads dates and hundreds in the
            British way.
        fixed: What is spoken as given.
    """
    parts = [part.lower() for part in re.split("[-_]", language)]
    region = parts[-1] if len(parts) > 1 else ""
    if parts[0] == "en":
        pieces = read_english(text, region)
    elif knows(parts[0]):
        pieces = read_other(text, parts[0], region)
    else:
        pieces = read_words(split_words(text), lambda _words, _place: None)
    if not fixed:
        return pieces
    given = iter(fixed)
    return [_given(piece, next(given)) if piece.source == FIXED else piece for piece in pieces]


def _given(piece: Piece, fixed: Fixed) -> Piece:
    return Piece(fixed.source, fixed.spoken, piece.spaced)


def join_spoken(pieces: Sequence[Piece]) -> str:
    """What is said, in one line."""
    joined = "".join(f" {piece.spoken}" if piece.spaced else piece.spoken for piece in pieces)
    return " ".join(joined.split())


def join_source(pieces: Sequence[Piece]) -> str:
    """What was written, in one line."""
    joined = "".join(f" {piece.source}" if piece.spaced else piece.source for piece in pieces)
    return " ".join(joined.split())


def normalize_text(text: str, language: str) -> str:
    """A text as it is spoken."""
    return join_spoken(normalize(text, language))
