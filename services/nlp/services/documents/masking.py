"""A sentence as the model sees it, and what its translation becomes.

Held things travel as words that are none (`zqaxz`): a model takes them for names, leaves them as
they are and moves them with the words around. Tags travel as numbered brackets (`⟦0⟧`) between
words. The way back accepts a translation only if it has every one of them once, and the tags in
their order, so that they still nest. Otherwise the sentence is translated in pieces: the words
between, each for itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.nlp.services.documents.flat import Flat, Tag
from services.nlp.services.documents.wording import BLANKS, as_writer, for_model

_MOST_MARKS = 12
"""With more of them than words, a sentence is none any more."""
_LONGEST_MASKED = 2_000
_TOKEN = re.compile(r"zq([a-j]{1,3})xz|⟦([0-9]{1,3})⟧", re.IGNORECASE)
_SUSPECT = re.compile(r"zq[a-j]+xz|[⟦⟧]", re.IGNORECASE)
_DIGITS = "abcdefghij"
_LETTER = re.compile(r"[^\W\d_]")
_SPACES = re.compile(r"[ \t\n\r\f]+")


class Piece(NamedTuple):
    """A part of a sentence.

    Attributes:
        written: As it goes out when the model has no part in it.
        text: What the model sees; empty for what stays.
        source: Its characters.
    """

    written: str
    text: str = ""
    source: str = ""


class _Group(NamedTuple):
    """Tags with nothing between them; `raw` is all of them."""

    place: int
    raw: str


@dataclass(slots=True, eq=False)
class Sentence:
    """Characters of a flat text that go to the model together.

    Attributes:
        flat: What they are of.
        start: First place.
        end: After the last.
        tags: Those among them: neither before the first nor after the last character.
        text: What the model sees; None when only pieces may be translated.
    """

    flat: Flat
    start: int
    end: int
    tags: Sequence[Tag] = ()
    whole: bool = True
    text: str | None = field(init=False)
    _groups: tuple[_Group, ...] = field(init=False)
    _places: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Write what the model sees."""
        self._groups = _grouped(self.tags) if self.tags else ()
        held = self.flat.held
        self._places = (
            tuple(place for place in range(self.start, self.end) if place in held) if held else ()
        )
        self.text = self._masked() if self.whole else None

    @property
    def marked(self) -> bool:
        """Whether anything of it travels as a mark."""
        return bool(self._places or self._groups)

    def fill(self, translation: str) -> str | None:
        """The translation with held things and tags in their places; None if one is not."""
        if translation == self.text:
            return self.flat.shown(self.start, self.end, self.tags)
        source = self.flat.text[self.start : self.end]
        if not self.marked:
            return self.flat.escaped(as_writer(source, translation))
        parts: list[str] = []
        left = set(range(len(self._places)))
        done = tag = 0
        for token in _TOKEN.finditer(translation):
            parts.append(translation[done : token.start()])
            done = token.end()
            if token[1] is not None:
                number = _number(token[1])
                if number not in left:
                    return None
                left.remove(number)
                parts.append(self.flat.held[self._places[number]].shown)
            elif int(token[2]) == tag < len(self._groups):
                parts.append(self._groups[tag].raw)
                tag += 1
            else:
                return None
        parts.append(translation[done:])
        if left or tag < len(self._groups) or any(_SUSPECT.search(part) for part in parts[::2]):
            return None
        if parts[0] == "" and self.start in self.flat.held:
            # What stands first is no word to a model, and the second one gets the capital.
            parts[2] = _cased(_words_of(source), parts[2])
        parts[::2] = [self.flat.escaped(as_writer(source, part)) for part in parts[::2]]
        return "".join(parts)

    def pieces(self) -> list[Piece]:
        """The sentence cut at its held things and tags."""
        cuts = sorted(
            [
                *((place, 1, self.flat.held[place].shown) for place in self._places),
                *((group.place, 0, group.raw) for group in self._groups),
            ]
        )
        found: list[Piece] = []
        done = self.start
        for place, width, shown in cuts:
            found += self._words(done, place)
            found.append(Piece(shown))
            done = place + width
        return found + self._words(done, self.end)

    def piece_texts(self) -> list[str]:
        """What the model is to translate when the sentence goes in pieces."""
        return [piece.text for piece in self.pieces() if piece.text]

    def _words(self, start: int, end: int) -> list[Piece]:
        """The words of a stretch without marks, between what is around them."""
        text = self.flat.text[start:end]
        first = _LETTER.search(text)
        if first is None:
            return [Piece(self.flat.shown(start, end))] if text else []
        begin, stop = start + first.start(), start + len(text.rstrip(BLANKS))
        source = self.flat.text[begin:stop]
        return [
            Piece(self.flat.shown(start, begin)),
            Piece(self.flat.shown(begin, stop), self._for_model(source), source),
            Piece(self.flat.shown(stop, end)),
        ]

    def join(self, pieces: Sequence[Piece], translations: Mapping[str, str]) -> str:
        """The pieces together, each with its translation."""
        return "".join(
            self._said(piece, translations[piece.text]) if piece.text else piece.written
            for piece in pieces
        )

    def _said(self, piece: Piece, translation: str) -> str:
        if translation == piece.text:
            return piece.written
        return self.flat.escaped(as_writer(piece.source, _cased(piece.source, translation)))

    def _for_model(self, text: str) -> str:
        # In HTML all white space is one space.
        return for_model(_SPACES.sub(" ", text) if self.flat.html else text)

    def _masked(self) -> str | None:
        if not self.marked:
            return self._for_model(self.flat.text[self.start : self.end])
        if len(self._places) + len(self._groups) > _MOST_MARKS:
            return None
        if _SUSPECT.search(self.flat.text[self.start : self.end]):
            return None
        cuts = sorted(
            [
                *((place, 1, _word(number)) for number, place in enumerate(self._places)),
                *((group.place, 0, f"⟦{number}⟧") for number, group in enumerate(self._groups)),
            ]
        )
        parts: list[str] = []
        done = self.start
        for place, width, mark in cuts:
            parts += [self.flat.text[done:place], mark]
            done = place + width
        text = self._for_model("".join([*parts, self.flat.text[done : self.end]]))
        return text if len(text) <= _LONGEST_MASKED else None


def _grouped(tags: Sequence[Tag]) -> tuple[_Group, ...]:
    groups: list[_Group] = []
    for tag in tags:
        if groups and groups[-1].place == tag.place:
            groups[-1] = _Group(tag.place, groups[-1].raw + tag.raw)
        else:
            groups.append(_Group(tag.place, tag.raw))
    return tuple(groups)


def _word(number: int) -> str:
    """A word that no language has, for a number."""
    return f"zq{''.join(_DIGITS[int(digit)] for digit in str(number))}xz"


def _number(letters: str) -> int:
    return int("".join(str(_DIGITS.index(letter)) for letter in letters.lower()))


def _words_of(text: str) -> str:
    """From the first letter on."""
    first = _LETTER.search(text)
    return text[first.start() :] if first else ""


def _cased(source: str, translation: str) -> str:
    """A piece does not begin a sentence, whatever the model believes; `NATO` stays."""
    first = _LETTER.search(translation)
    if first is None or not source[:1].islower() or not first[0].isupper():
        return translation
    place = first.start()
    following = translation[place + 1 : place + 2]
    if following.isupper() or following.isdigit():
        return translation
    return translation[:place] + first[0].lower() + translation[place + 1 :]
