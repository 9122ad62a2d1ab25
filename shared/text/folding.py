"""A text as rules may read it, with the way back to the text as it came.

Folded, all decimal digits are ASCII, all dashes and white space alike, and what nobody sees is
gone: a card number in Devanagari digits or with zero-width spaces inside is still a card number.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_ALIKE = {
    **dict.fromkeys("‘’‚‛", "'"),  # noqa: RUF001 - these are what is folded
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n"),
    "\u2212": "-",
}
_KEPT_CONTROLS = {"\t", "\n", "\r"}
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_ASCII = 0xFEE0


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: What rules read.
        origins: For each of its characters the index in the original, and at last its length.
    """

    text: str
    origins: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part that is not empty lies in the original."""
        return self.origins[start], self.origins[end - 1] + 1


def fold(text: str) -> Folded:
    """Fold a text; linear in its length."""
    table = {ord(one): _folded(one) for one in set(text) if not " " <= one <= "~"}
    if not table:
        return Folded(text, range(len(text) + 1))
    folded = text.translate(table)
    if len(folded) == len(text):
        return Folded(folded, range(len(text) + 1))
    gone = {chr(code) for code, new in table.items() if not new}
    origins = [index for index, one in enumerate(text) if one not in gone]
    return Folded(folded, [*origins, len(text)])


def _folded(one: str) -> str:
    """One character for one, or nothing."""
    if one in _ALIKE:
        return _ALIKE[one]
    category = unicodedata.category(one)
    if category == "Nd":
        return str(unicodedata.decimal(one))
    if category in {"Pd", "Zs"}:
        return "-" if category == "Pd" else " "
    if category in {"Cc", "Cf", "Cs"}:
        return one if one in _KEPT_CONTROLS else ""
    if ord(one) in _FULL_WIDTH:
        return chr(ord(one) - _TO_ASCII)
    return one
