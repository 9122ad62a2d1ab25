"""Translating text without touching its layout."""

import unicodedata
from dataclasses import dataclass

from shared.text.clean import clean_text
from shared.text.sentences import cut_long, split_sentences


@dataclass(frozen=True, slots=True)
class Layout:
    """A text taken apart: parts to translate among parts to keep.

    Attributes:
        parts: In order; joined, they are the text.
        wanted: Indices of the parts that are to be translated.
    """

    parts: tuple[str, ...]
    wanted: tuple[int, ...]

    def sentences(self) -> list[str]:
        """The parts to translate, in order."""
        return [self.parts[index] for index in self.wanted]

    def rejoin(self, translations: dict[str, str]) -> str:
        """The text with each wanted part replaced by its translation."""
        parts = list(self.parts)
        for index in self.wanted:
            parts[index] = translations[parts[index]]
        return "".join(parts)


def take_apart(text: str, *, longest: int) -> Layout:
    """Sentences to translate, and the white space between them to keep.

    What has no letter (numbers, rules, bullets) is kept too.

    Args:
        text: Within its bound on length.
        longest: Longer sentences are cut, in characters.
    """
    parts: list[str] = []
    wanted: list[int] = []
    for index, part in enumerate(split_sentences(clean_text(text))):
        if index % 2 == 0 or not _has_letter(part):
            parts.append(part)
            continue
        for position, piece in enumerate(cut_long(part, longest)):
            if position:
                parts.append(" ")
            wanted.append(len(parts))
            parts.append(piece)
    return Layout(tuple(parts), tuple(wanted))


def _has_letter(text: str) -> bool:
    return any(unicodedata.category(character)[0] == "L" for character in text)
