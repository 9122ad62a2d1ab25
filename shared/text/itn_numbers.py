"""Reads spoken English numbers; every function looks a bounded number of words ahead."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.text.itn_lexicon import (
    DIGITS,
    OH,
    ORDINAL_DIGITS,
    ORDINALS,
    ROUND_SCALE,
    SCALE_ORDINALS,
    SCALES,
    TEENS,
    TENS,
)

_WORD = re.compile(r"([A-Za-z](?:[A-Za-z'’-]|\.(?=[A-Za-z]))*)([.,!?;:…]*)")
_COMMA_FROM = 1000
_HUNDRED = 100
_NO_SCALE = 10**18


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word as the rules see it.

    Attributes:
        text: Lower case, without the punctuation at its end; empty where no rule may go on:
            for what is no plain word, and after each punctuation mark.
        index: Which of the given words; -1 after a punctuation mark.
        digits: Whether it is a number in digits.
    """

    text: str
    index: int
    digits: bool = False


STOP = Lexeme("", -1)
Lexemes = Sequence[Lexeme]


def lexemes_of(words: Sequence[str]) -> list[Lexeme]:
    """The words, with a stop after each that ends in punctuation."""
    found: list[Lexeme] = []
    for index, word in enumerate(words):
        plain = _WORD.fullmatch(word)
        text = plain[1].lower().replace("’", "'") if plain else ""
        found.append(Lexeme(text, index, digits=not plain and any(map(str.isdigit, word))))
        if plain and plain[2] and not _is_meridiem(word):
            found.append(STOP)
    return found


def closing_of(word: str) -> str:
    """The punctuation at the end of a word."""
    plain = _WORD.fullmatch(word)
    return plain[2] if plain else ""


def _is_meridiem(word: str) -> bool:
    return word.lower() in {"a.m.", "p.m.", "a.", "p."}


def ends_at(lexemes: Lexemes, place: int) -> bool:
    """Whether a place is behind the last word, or at a punctuation mark."""
    return place >= len(lexemes) or lexemes[place].index < 0


def in_digits(lexemes: Lexemes, place: int) -> bool:
    """Whether a number in digits stands at a place."""
    return 0 <= place < len(lexemes) and lexemes[place].digits


def at(lexemes: Lexemes, place: int) -> str:
    """The text at a place; empty outside."""
    return lexemes[place].text if 0 <= place < len(lexemes) else ""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number as spoken.

    Attributes:
        value: What it is.
        end: Place after its last word.
        ordinal: Whether it is one of a row: "fifth".
        scale: Its last word, where that is a scale and all before it a plain count.
        count: What stands before `scale`.
        hundreds: Said as "nineteen hundred".
    """

    value: int
    end: int
    ordinal: bool = False
    scale: str = ""
    count: int = 0
    hundreds: bool = False


def read_number(lexemes: Lexemes, start: int, *, joined: bool = True) -> Number | None:
    """The longest number that begins at a place.

    Args:
        lexemes: The text.
        start: Where it begins.
        joined: Whether "and" may stand inside it.
    """
    found: Number | None = None
    smallest = _NO_SCALE
    while True:
        begin = start
        if found is not None:
            begin = found.end + (joined and at(lexemes, found.end) == "and")
        part = _below_thousand(lexemes, begin, joined=joined)
        if part is None or (found is not None and not part.value):
            return found
        size = _scale_after(lexemes, part)
        if size is None:
            return _closed(lexemes, found, part)
        if size >= smallest:
            return found
        scale = at(lexemes, part.end)
        value = (found.value if found else 0) + part.value * size
        if scale in SCALE_ORDINALS:
            return Number(value, part.end + 1, ordinal=True)
        if found is None:
            found = Number(value, part.end + 1, scale=scale, count=part.value)
        else:
            found = Number(value, part.end + 1)
        smallest = size


def _scale_after(lexemes: Lexemes, part: Number) -> int | None:
    if part.ordinal or not part.value:
        return None
    word = at(lexemes, part.end)
    return SCALES.get(word) or SCALE_ORDINALS.get(word)


def _closed(lexemes: Lexemes, found: Number | None, part: Number) -> Number:
    """A number that ends below a thousand."""
    if found is None:
        return part
    if at(lexemes, part.end) == "hundred" or at(lexemes, part.end) in SCALES:
        return found  # "one thousand and two thousand" are two numbers.
    return Number(found.value + part.value, part.end, ordinal=part.ordinal)


def _below_thousand(lexemes: Lexemes, start: int, *, joined: bool) -> Number | None:
    lead = _below_hundred(lexemes, start)
    if lead is None or lead.ordinal or lead.value == 0:
        return lead
    if at(lexemes, lead.end) == "hundredth":
        return Number(lead.value * _HUNDRED, lead.end + 1, ordinal=True)
    if at(lexemes, lead.end) != "hundred":
        return lead
    whole = Number(lead.value * _HUNDRED, lead.end + 1, hundreds=lead.value > 9)  # noqa: PLR2004
    begin = whole.end + (joined and at(lexemes, whole.end) == "and")
    rest = _below_hundred(lexemes, begin)
    if rest is None or rest.value == 0 or at(lexemes, rest.end) == "hundred":
        return whole
    return Number(whole.value + rest.value, rest.end, ordinal=rest.ordinal, hundreds=whole.hundreds)


def _below_hundred(lexemes: Lexemes, start: int) -> Number | None:
    word = at(lexemes, start)
    if word in TENS:
        following = at(lexemes, start + 1)
        if following != "zero" and following in DIGITS:
            return Number(TENS[word] + DIGITS[following], start + 2)
        if following in ORDINAL_DIGITS:
            return Number(TENS[word] + ORDINAL_DIGITS[following], start + 2, ordinal=True)
        return Number(TENS[word], start + 1)
    for table, ordinal in (
        (DIGITS, False),
        (TEENS, False),
        (ORDINAL_DIGITS, True),
        (ORDINALS, True),
    ):
        if word in table:
            return Number(table[word], start + 1, ordinal=ordinal)
    return None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as it is written.

    Attributes:
        text: In digits.
        end: Place after its last word, and after `scale`.
        value: The whole number; None with a fraction.
        scale: "million" where the text is a count of those, else empty.
        number: What it was read from; None with a fraction.
    """

    text: str
    end: int
    value: int | None
    scale: str = ""
    number: Number | None = None


def read_amount(lexemes: Lexemes, start: int, *, joined: bool = True) -> Amount | None:
    """A number, with or without a fraction, that begins at a place."""
    begin = start
    article = at(lexemes, start) == "a" and (
        at(lexemes, start + 1) in SCALES or at(lexemes, start + 1) == "hundred"
    )
    if article:
        # "a hundred" counts as "one hundred".
        lexemes = [Lexeme("one", -1), *lexemes[start + 1 : start + 16]]
        begin = 0
    number = read_number(lexemes, begin, joined=joined)
    if number is None or number.ordinal:
        return None
    amount = _with_fraction(lexemes, number) or _plain(number)
    if article:
        return Amount(amount.text, amount.end + start, amount.value, amount.scale, amount.number)
    return amount


def _plain(number: Number) -> Amount:
    if number.scale and SCALES[number.scale] >= ROUND_SCALE:
        scale = number.scale
        return Amount(str(number.count), number.end, number.value, scale, number)
    return Amount(grouped(number.value), number.end, number.value, "", number)


def _with_fraction(lexemes: Lexemes, number: Number) -> Amount | None:
    place, digits = number.end, ""
    if at(lexemes, place) == "point":
        digits, place = _fraction_digits(lexemes, place + 1)
    elif number.scale:
        return None  # "two million and a half"
    elif [at(lexemes, place + step) for step in range(3)] == ["and", "a", "half"]:
        digits, place = "5", place + 3
    if not digits:
        return None
    text = f"{grouped(number.value)}.{digits}"
    scale = at(lexemes, place)
    if scale in SCALES:
        return Amount(text, place + 1, None, scale)
    return Amount(text, place, None)


def _fraction_digits(lexemes: Lexemes, place: int) -> tuple[str, int]:
    """Digits after "point" and the place after them: "one four one", or "fourteen"."""
    pair = _below_hundred(lexemes, place)
    if pair is not None and not pair.ordinal and pair.value > 9:  # noqa: PLR2004
        return str(pair.value), pair.end
    digits: list[str] = []
    while len(digits) < 20:  # noqa: PLR2004 - no one says more, and it bounds the work
        word = at(lexemes, place)
        if word not in DIGITS and not (word in OH and _goes_on(lexemes, place)):
            break
        digits.append(str(DIGITS.get(word, 0)))
        place += 1
    return "".join(digits), place


def _goes_on(lexemes: Lexemes, place: int) -> bool:
    return at(lexemes, place + 1) in DIGITS


def grouped(value: int) -> str:
    """With commas from a thousand on."""
    return f"{value:,}" if value >= _COMMA_FROM else str(value)


def ordinal_text(value: int) -> str:
    """`21st`."""
    if value % 100 in (11, 12, 13):
        return f"{grouped(value)}th"
    return grouped(value) + {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
