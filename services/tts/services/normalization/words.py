"""A text as words with the punctuation around them, and the pieces of speech made of them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

FIXED = "\ue000"
"""Stands in a text for what is spoken as somebody said: see `Fixed`."""
LONGEST = 100
"""Characters of the longest word that any rule but the last looks at."""
_OPENING = "([{\"'“\u2018«\u2039„\u201a¿¡*_"
_CLOSING = ")]}\"'”’»\u203a.,;:!?…*_"
# Emphasis as it is written where no other can be.
_LAYOUT = str.maketrans("", "", "*_")
_WIDE_MARKS = "\uff0c\u3001\uff1b\uff1a"
# Possessive: one pass over any text. A wide comma ends a word, as no space follows it.
_TOKEN = re.compile(
    rf"(\s*+)({FIXED}|[\u2014\u2026]|[^\s\u2014\u2026{FIXED}{_WIDE_MARKS}]++[{_WIDE_MARKS}]*+"
    rf"|[{_WIDE_MARKS}]++)"
)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A stretch of text whose words are given.

    Attributes:
        source: What was written.
        spoken: What is said.
    """

    source: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What is spoken for a stretch of the text.

    Attributes:
        source: As written.
        spoken: Empty where it has no sound.
        spaced: Whether white space is before it.
    """

    source: str
    spoken: str
    spaced: bool = True


@dataclass(frozen=True, slots=True)
class Word:
    """What stands between two spaces.

    Attributes:
        raw: All of it.
        lead: Opening punctuation.
        core: What rules look at; empty for mere punctuation.
        tail: Closing punctuation.
        spaced: Whether white space is before it.
    """

    raw: str
    lead: str
    core: str
    tail: str
    spaced: bool


Words = Sequence[Word]


class Reading(NamedTuple):
    """How words are spoken.

    Attributes:
        spoken: Without the punctuation around the words.
        end: Place after the last of them.
        dotted: Whether a full stop behind them is a part of them.
        open: Whether the opening punctuation is a part of them, too.
        shut: Whether the closing punctuation is.
    """

    spoken: str
    end: int
    dotted: bool = False
    open: bool = False
    shut: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """How a region reads, and how this sentence is written.

    Attributes:
        joined: "one hundred and five", as in Britain.
        day_first: 3/4 is the third of April.
        shouting: The sentence is in capitals, so that these mean nothing.
    """

    joined: bool = False
    day_first: bool = False
    shouting: bool = False


Rule = Callable[[Words, int, Style], Reading | None]


def split_words(text: str) -> list[Word]:
    """The words of a text, in order."""
    return [
        _word(token[2], spaced=bool(token[1]) or token.start() == 0)
        for token in _TOKEN.finditer(text.rstrip())
    ]


def _word(raw: str, *, spaced: bool) -> Word:
    if raw.isalpha():
        return Word(raw, "", raw, "", spaced)
    rest = raw.lstrip(_OPENING)
    lead = raw[: len(raw) - len(rest)]
    core = rest.rstrip(_CLOSING + _WIDE_MARKS)
    if not lead and core.startswith(".") and not core[1:2].isdigit():
        core = core.lstrip(".") if core.startswith("..") else core
        lead = rest[: len(rest.rstrip(_CLOSING + _WIDE_MARKS)) - len(core)]
    tail = rest[len(rest.rstrip(_CLOSING + _WIDE_MARKS)) :]
    return Word(raw, lead.translate(_LAYOUT), core, tail.translate(_LAYOUT), spaced)


def core_at(words: Words, place: int) -> str:
    """The core at a place; empty outside of the text."""
    return words[place].core if 0 <= place < len(words) else ""


def follows(words: Words, place: int) -> str:
    """The core after a place, if no punctuation stands between; else empty."""
    if not 0 <= place < len(words) - 1 or words[place].tail or words[place + 1].lead:
        return ""
    return words[place + 1].core


def precedes(words: Words, place: int) -> str:
    """The core before a place, if no punctuation stands between; else empty."""
    if not 0 < place < len(words) or words[place - 1].tail or words[place].lead:
        return ""
    return words[place - 1].core


def is_name(core: str) -> bool:
    """Whether it begins like a name: with a capital, or it is of a lexicon."""
    return core[:1].isupper() or core == FIXED


def read_words(words: Words, rule: Callable[[Words, int], Reading | None]) -> list[Piece]:
    """The pieces of words, by a rule that answers None for what stays as it is."""
    pieces: list[Piece] = []
    place = 0
    while place < len(words):
        reading = rule(words, place)
        if reading is None:
            word = words[place]
            pieces.append(Piece(word.raw, word.raw, word.spaced))
            place += 1
            continue
        pieces.append(_piece(words, place, reading))
        place = reading.end
    return pieces


def _piece(words: Words, place: int, reading: Reading) -> Piece:
    first, last = words[place], words[reading.end - 1]
    tail = "" if reading.shut else last.tail
    if reading.dotted and tail.startswith(".") and reading.end < len(words):
        tail = tail[1:]
    if reading.spoken.endswith(".") and tail.startswith("."):
        tail = tail[1:]  # One full stop is enough.
    lead = "" if reading.open else first.lead
    return Piece(
        source_of(words[place : reading.end]),
        f"{lead}{reading.spoken}{tail}" if reading.spoken else "",
        first.spaced,
    )


def spell(letters: str) -> str:
    """`U.S.A.`: without the full stops an A alone would be the article."""
    spelled = ".".join(letters.upper())
    return f"{spelled}." if len(letters) > 1 else spelled


def source_of(words: Words) -> str:
    """The words as written, white space collapsed."""
    return "".join(f" {word.raw}" if word.spaced else word.raw for word in words).strip()
