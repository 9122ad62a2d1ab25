"""Cuts pieces of speech into parts that are short enough for a model.

The first part is short, cut after a clause, so that its sound comes early; those after it grow.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.tts.services.normalization import Piece, join_source, join_spoken
from shared.text.sentences import cut_long

_FIRST_LEAST, _FIRST_ENOUGH, _FIRST_MOST = 30, 60, 100
_GROWTH = (120, 200, 280)
"""Beyond this many characters the second, third and later parts take no further sentence."""
_CLAUSE = re.compile("[,;:\u060c\u061b\uff0c\u3001\uff1b\uff1a\u2013\u2014][\"'”’»)]*$")
# Where one draws breath if there is no comma.
_BEFORE_BREATH = frozenset(
    [
        *("and", "but", "or", "because", "which", "that", "who", "when", "while", "where", "if"),
        *("so", "although", "with", "without", "from", "into", "for", "after", "before", "to"),
        *("y", "que", "pero", "et", "mais", "und", "aber", "dass", "e", "ma", "och"),
    ]
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part.

    Attributes:
        text: Spoken.
        source: Written.
        ends_sentence: False where a sentence was cut.
    """

    text: str
    source: str
    ends_sentence: bool


@dataclass(slots=True)
class _Unit:
    """A piece, with the length of what is said, and whether a sentence ends with it."""

    piece: Piece
    length: int
    ends: bool


class Chunker:
    """Cuts the sentences of one text, in their order.

    Args:
        limit: Longest part, in characters.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._made = 0

    def cut(self, sentences: Iterable[Sequence[Piece]]) -> list[Chunk]:
        """The parts of some sentences; none goes on in the next call."""
        chunks: list[Chunk] = []
        units: list[_Unit] = []
        length = 0
        for sentence in sentences:
            fresh = self._units(sentence)
            added = sum(unit.length for unit in fresh)
            if units and length + added > self._limit and (self._made or length >= _FIRST_LEAST):
                self._close(chunks, units)
                units, length = [], 0
            units += fresh
            length += added
            while units and length > self._most():
                length -= self._split(chunks, units)
            if units and length >= self._enough():
                self._close(chunks, units)
                units, length = [], 0
        if units:
            self._close(chunks, units)
        return [chunk for chunk in chunks if chunk.text]

    def _units(self, sentence: Sequence[Piece]) -> list[_Unit]:
        pieces = [part for piece in sentence for part in self._short(piece)]
        units = [_Unit(piece, len(piece.spoken) + piece.spaced, ends=False) for piece in pieces]
        if units:
            units[-1].ends = True
        return units

    def _short(self, piece: Piece) -> Iterable[Piece]:
        """The piece; several where it alone is longer than a part may be."""
        if len(piece.spoken) <= min(self._limit, self._most()):
            return [piece]
        parts = cut_long(piece.spoken, self._limit)
        if piece.spoken == piece.source:
            return [Piece(part, part) for part in parts]
        return [Piece("" if place else piece.source, part) for place, part in enumerate(parts)]

    def _most(self) -> int:
        return self._limit if self._made else min(_FIRST_MOST, self._limit)

    def _enough(self) -> int:
        if not self._made:
            return min(_FIRST_ENOUGH, self._limit)
        return min(_GROWTH[min(self._made, len(_GROWTH)) - 1], self._limit)

    def _close(self, chunks: list[Chunk], units: Sequence[_Unit]) -> None:
        pieces = [unit.piece for unit in units]
        spoken = join_spoken(pieces)
        if spoken:
            self._made += 1
        chunks.append(Chunk(spoken, join_source(pieces), ends_sentence=units[-1].ends))

    def _split(self, chunks: list[Chunk], units: list[_Unit]) -> int:
        """Close the best start of the units; the characters that it took."""
        place = _best_cut(units, self._most(), first=not self._made)
        taken = sum(unit.length for unit in units[:place])
        self._close(chunks, units[:place])
        del units[:place]
        return taken


def _best_cut(units: Sequence[_Unit], most: int, *, first: bool) -> int:
    """How many units make a part of at most `most` characters; at least one."""
    least = _FIRST_LEAST if first else most // 4
    sentence, clause, breath, space, fits = 0, 0, 0, 0, 1
    length = 0
    for place, unit in enumerate(units):
        length += unit.length
        if length - units[0].piece.spaced > most:
            break
        fits = place + 1
        following = units[place + 1].piece if place + 1 < len(units) else None
        if unit.ends:
            sentence = fits
        if length >= least and _CLAUSE.search(unit.piece.spoken):
            clause = fits
        if following is not None and following.spaced:
            space = fits
            if length >= least and following.spoken.lower() in _BEFORE_BREATH:
                breath = fits
    if first:
        return max(sentence, clause) or breath or space or fits
    return sentence or clause or breath or space or fits
