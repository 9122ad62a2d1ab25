"""A text with its spoken numbers, dates and amounts written, and the way back to the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.text import itn

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class WrittenView:
    """A text as inverse text normalization writes it.

    Attributes:
        text: What is read.
        starts: For each of its characters, where that which it stands for begins in the original;
            `ends` is where it ends.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part that is not empty lies in the original."""
        return self.starts[start], self.ends[end - 1]


def written_view(text: str) -> WrittenView:
    """The view of a text; layout stays as it is. Linear in its length."""
    words = list(_WORD.finditer(text))
    spoken = [word.group() for word in words]
    pieces = [
        piece
        for piece in itn.spans(spoken)
        if piece.end - piece.first > 1 or piece.text != spoken[piece.first]
    ]
    if not pieces:
        return WrittenView(text, range(len(text)), range(1, len(text) + 1))
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    end = 0
    for piece in pieces:
        first, last = words[piece.first].start(), words[piece.end - 1].end()
        parts += (text[end:first], piece.text)
        starts += range(end, first)
        ends += range(end + 1, first + 1)
        starts += [first] * len(piece.text)
        ends += [last] * len(piece.text)
        end = last
    parts.append(text[end:])
    starts += range(end, len(text))
    ends += range(end + 1, len(text) + 1)
    return WrittenView("".join(parts), starts, ends)
