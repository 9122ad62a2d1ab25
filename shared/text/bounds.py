"""Bounds on the texts of one request, checked before anything costly sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.text.problems import TextTooLong, TooManyItems


@dataclass(frozen=True, slots=True)
class TextBounds:
    """How much text one request may bring.

    Attributes:
        items: Texts in one request.
        characters: In one text.
        total: In all texts of the request.
    """

    items: int
    characters: int
    total: int

    def check(self, sources: Sequence[str]) -> int:
        """Characters in all.

        Raises:
            TooManyItems: More texts than allowed.
            TextTooLong: One text, or all together, are too long.
        """
        if len(sources) > self.items:
            raise TooManyItems(self.items)
        for index, source in enumerate(sources):
            if len(source) > self.characters:
                raise TextTooLong(self.characters, f"/input/{index}/source")
        total = sum(map(len, sources))
        if total > self.total:
            raise TextTooLong(self.total, "/input")
        return total
