"""Numbers with what they count: percentages, units, ordinals, decades, ranges, plain ones."""

import re
from dataclasses import dataclass

from services.tts.services.normalization.numerals import (
    NUMBER,
    cardinal,
    decade,
    digits,
    ordinal,
    spell_number,
    value_of,
    year,
)
from services.tts.services.normalization.units import (
    ATTACHED,
    COUNT_SCALES,
    PER,
    SCALE_WORDS,
    UNITS,
    Name,
)
from services.tts.services.normalization.words import (
    LONGEST,
    Reading,
    Style,
    Words,
    core_at,
    follows,
    is_name,
    precedes,
)

_MINUS = "\u2212"
_SIGNS = {
    "-": "minus",
    _MINUS: "minus",
    "+": "plus",
    "±": "plus or minus",
    "~": "about",
    "≈": "about",
    "<": "less than",
    ">": "more than",
    "≤": "at most",
    "≥": "at least",
}
_QUANTITY = re.compile(
    rf"(?P<sign>[-{_MINUS}+±~≈<>≤≥]?)(?P<first>{NUMBER})"
    rf"(?:(?P<dash>[-–{_MINUS}])(?P<second>{NUMBER})(?![0-9]))?(?P<rest>(?![0-9]).*)",
    re.DOTALL,
)
ORDINAL_ENDS = frozenset({"st", "nd", "rd", "th", "ST", "ND", "RD", "TH"})
_YEAR_WORDS = frozenset(
    [
        *("in", "of", "since", "from", "year", "by", "before", "after", "until", "till", "around"),
        *(
            "circa",
            "ca",
            "c",
            "during",
            "early",
            "late",
            "mid",
            "spring",
            "summer",
            "autumn",
            "fall",
        ),
        *("winter", "between", "through", "to", "and", "january", "february", "march", "april"),
        *("may", "june", "july", "august", "september", "october", "november", "december"),
        *("est", "founded", "born", "copyright", "©", "class", "edition", "model"),
    ]
)
_NUMBERED = frozenset(
    [
        *("number", "no", "nos", "room", "page", "pages", "p", "pp", "flight", "suite", "line"),
        *("exactly", "about", "over", "under", "than", "nearly", "almost", "approximately"),
        *("only", "some", "least", "most", "up", "exceed", "exceeds", "another", "all", "these"),
    ]
)
_MORE_WORDS = frozenset(
    [
        "am",
        "is",
        "was",
        "were",
        "in",
        "at",
        "on",
        "by",
        "and",
        "or",
        "to",
        "of",
        "for",
        "the",
        "as",
        "if",
        "but",
        "with",
    ]
)
"""Behind a number these do not make a count of it, though they are no nouns to be counted."""
_YEAR_FROM, _YEAR_TO = 1900, 2099
_OLD_YEAR_FROM = 1100
_MANY_DIGITS = 10
_MOST_PER = 16


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or a range of two, as written."""

    sign: str
    first: str
    second: str
    rest: str

    def spoken(self, *, joined: bool) -> str | None:
        """In words; None if a comma is in a wrong place."""
        first = spell_number(self.first, joined=joined)
        if first is None:
            return None
        lead = f"{_SIGNS[self.sign]} " if self.sign else ""
        if not self.second:
            return lead + first
        second = spell_number(self.second, joined=joined)
        return None if second is None else f"{lead}{first} to {second}"

    @property
    def single(self) -> bool:
        """Whether what is counted stands in the singular."""
        return self.first == "1" and not self.second


def parse_quantity(core: str) -> Quantity | None:
    """The number at the start of a word."""
    if core.isascii() and core.isdecimal() and len(core) <= LONGEST:
        return Quantity("", core, "", "")  # Most numbers of a text.
    found = _QUANTITY.fullmatch(core) if len(core) <= LONGEST else None
    if found is None:
        return None
    return Quantity(found["sign"], found["first"], found["second"] or "", found["rest"])


def read_quantity(words: Words, place: int, style: Style) -> Reading | None:
    """A number and what it counts, where that is written with it or by a symbol behind it."""
    quantity = parse_quantity(core_at(words, place))
    if quantity is None:
        return None
    if quantity.rest in COUNT_SCALES and is_name(follows(words, place)):
        return None  # The house 221B.
    if quantity.rest:
        reading = _with_rest(place, quantity, style)
        # The apostrophe of '90s stands for the century, and opens no quotation.
        short = quantity.rest == "s" and words[place].lead in {"'", "’"}
        return reading._replace(open=True) if reading and short else reading
    return (
        _with_fraction(words, place, quantity, style)
        or _with_unit(words, place, quantity, style)
        or _plain(words, place, quantity, style)
    )


def _with_rest(place: int, quantity: Quantity, style: Style) -> Reading | None:
    rest, end = quantity.rest, place + 1
    value = value_of(quantity.first)
    if rest in ORDINAL_ENDS and value is not None and not quantity.sign and not quantity.second:
        return Reading(ordinal(value, joined=style.joined), end)
    if rest in {"s", "'s", "’s"} and value is not None and _is_decade(quantity, value):
        return Reading(decade(value), end)
    spoken = quantity.spoken(joined=style.joined)
    if spoken is None:
        return None
    if rest == "+":
        return Reading(f"{spoken} plus", end)
    scale = COUNT_SCALES.get(rest)
    if scale:
        return Reading(f"{spoken} {scale}", end)
    unit = unit_words(rest, single=quantity.single, attached=True)
    return Reading(f"{spoken} {unit}", end) if unit else None


def _is_decade(quantity: Quantity, value: int) -> bool:
    if quantity.sign or quantity.second or value % 10 or "," in quantity.first:
        return False
    return 20 <= value < 100 or 1000 <= value < 2100  # noqa: PLR2004 - decades and centuries


def unit_words(symbol: str, *, single: bool, attached: bool) -> str | None:
    """`kilometers per hour` of `km/h`, `per month` of `/month`; None if nothing is known."""
    counted, slash, per = symbol.partition("/")
    if symbol in UNITS:
        return UNITS[symbol].of(single=single)
    name: Name | None = UNITS.get(counted) or (ATTACHED.get(counted) if attached else None)
    if counted and name is None:
        return None
    words = name.of(single=single) if name else ""
    if not slash:
        return words or None
    ratio = per_words(per)
    return f"{words} {ratio}".strip() if ratio else None


def per_words(per: str) -> str | None:
    """`per month` of `month`, `per second` of `s`."""
    if per in PER:
        return f"per {PER[per]}"
    if per in UNITS:
        return f"per {UNITS[per].one}"
    return f"per {per}" if per.isalpha() and 1 < len(per) <= _MOST_PER else None


_FRACTIONS = {"1/2": "a half", "1/4": "a quarter", "3/4": "three quarters", "1/3": "a third"}
_FRACTIONS |= {"2/3": "two thirds", "1/8": "an eighth", "3/8": "three eighths"}
_FRACTIONS |= {"5/8": "five eighths", "7/8": "seven eighths"}


def _with_fraction(words: Words, place: int, quantity: Quantity, style: Style) -> Reading | None:
    """`2 1/2`."""
    part = _FRACTIONS.get(follows(words, place).replace("\u2044", "/"))
    if part is None or quantity.second or not quantity.first.isdecimal():
        return None
    spoken = quantity.spoken(joined=style.joined)
    return Reading(f"{spoken} and {part}", place + 2) if spoken else None


def _with_unit(words: Words, place: int, quantity: Quantity, style: Style) -> Reading | None:
    """`5 km`, `60 km/h`, `25 °C`, `5 %`, `10 sq ft`."""
    symbol = follows(words, place)
    if symbol not in UNITS and symbol not in {"sq", "cu"} and "/" not in symbol:
        return None
    spoken = quantity.spoken(joined=style.joined)
    if spoken is None:
        return None
    if symbol in {"sq", "cu"} and core_at(words, place + 2) in UNITS:
        shape = "square" if symbol == "sq" else "cubic"
        unit = UNITS[core_at(words, place + 2)].of(single=quantity.single)
        return Reading(f"{spoken} {shape} {unit}", place + 3, dotted=True)
    if symbol == "°" and core_at(words, place + 2) in {"C", "F"}:
        unit = UNITS[f"°{core_at(words, place + 2)}"].of(single=quantity.single)
        return Reading(f"{spoken} {unit}", place + 3)
    found = unit_words(symbol, single=quantity.single, attached=False)
    # `sec.` is a shorter word, `km.` the end of a sentence: the dispatcher keeps that one.
    return Reading(f"{spoken} {found}", place + 2, dotted=True) if found else None


def _plain(words: Words, place: int, quantity: Quantity, style: Style) -> Reading | None:
    end = place + 1
    first, second = value_of(quantity.first), value_of(quantity.second)
    if _is_year(words, place, quantity):
        spoken = year(first or 0)
        if second is not None:
            spoken = f"{spoken} to {_second_year(first or 0, quantity.second)}"
        return Reading(spoken, end)
    if not quantity.sign and not quantity.second and _is_code(quantity.first):
        return Reading(digits(quantity.first), end)
    spoken_number = quantity.spoken(joined=style.joined)
    return None if spoken_number is None else Reading(spoken_number, end)


def _is_code(written: str) -> bool:
    """Whether nobody would count so many: then each digit is said."""
    return written.isdecimal() and len(written) >= _MANY_DIGITS and not written.endswith("000000")


def _second_year(first: int, written: str) -> str:
    value = int(written)
    if len(written) == 2:  # noqa: PLR2004 - 1999-05
        return year(first // 100 * 100 + value) if value < 10 else cardinal(value)  # noqa: PLR2004
    return year(value)


def _is_year(words: Words, place: int, quantity: Quantity) -> bool:
    """Whether four digits are a year by their value and by what stands around them."""
    if quantity.sign or not quantity.first.isdecimal() or len(quantity.first) != 4:  # noqa: PLR2004
        return False
    value = int(quantity.first)
    if quantity.second:
        return (
            quantity.second.isdecimal()
            and len(quantity.second) in {2, 4}
            and _OLD_YEAR_FROM <= value <= _YEAR_TO
            and (len(quantity.second) == 2 or value < int(quantity.second) <= _YEAR_TO)  # noqa: PLR2004
        )
    # `ca. 1890`: the full stop is the abbreviation's.
    dotted = place > 0 and words[place - 1].tail == "."
    before = (core_at(words, place - 1) if dotted else precedes(words, place)).lower()
    after = follows(words, place).lower()
    if before in _NUMBERED or after in SCALE_WORDS or not _OLD_YEAR_FROM <= value <= _YEAR_TO:
        return False
    counted = after.isalpha() and after.endswith("s") and after not in _MORE_WORDS
    counted = counted or after in {"people", "men", "women", "children", "percent"}
    if before in _YEAR_WORDS:
        return not (counted and value < _YEAR_FROM)
    return value >= _YEAR_FROM and not counted
