"""English number words: what `shared.text.itn_numbers` reads, written."""

import re
from functools import lru_cache

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_SCALES = (
    (10**15, "quadrillion"),
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (10**3, "thousand"),
)
_INDIAN_SCALES = ((10**7, "crore"), (10**5, "lakh"), (10**3, "thousand"))
_LONGEST = 18
"""Digits of the largest number that is read as one."""
_LONGEST_KEPT = 32
"""Characters of the longest number that is remembered: a text may be one number."""
_HUNDRED = 100
_TEENS_END = 20
_INDIAN = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{2,3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
"""Pattern of what `spell_number` takes."""


@lru_cache(maxsize=4096)
def cardinal(value: int, *, joined: bool = False, indian: bool = False) -> str:
    """`one hundred twenty-three`; with "and" where it is joined. Below 10^18, not negative."""
    parts: list[str] = []
    rest = value
    for size, name in _INDIAN_SCALES if indian else _SCALES:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{cardinal(count, joined=joined, indian=indian)} {name}")
    hundreds, low = divmod(rest, _HUNDRED)
    if hundreds:
        parts.append(f"{ONES[hundreds]} hundred")
    if low or not parts:
        words = below_hundred(low)
        parts.append(f"and {words}" if joined and parts else words)
    return " ".join(parts)


def below_hundred(value: int) -> str:
    """`forty-two`."""
    if value < _TEENS_END:
        return ONES[value]
    tens, ones = divmod(value, 10)
    return f"{TENS[tens]}-{ONES[ones]}" if ones else TENS[tens]


def ordinal(value: int, *, joined: bool = False) -> str:
    """`twenty-first`."""
    return _last_as_ordinal(cardinal(value, joined=joined))


def _last_as_ordinal(words: str) -> str:
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    head, last = words[:cut], words[cut:]
    if last in _ORDINALS:
        return head + _ORDINALS[last]
    if last.endswith("y"):
        return f"{head}{last[:-1]}ieth"
    return f"{head}{last}th"


def digits(text: str) -> str:
    """Each digit by itself; what is no digit is left out."""
    return " ".join(ONES[int(one)] for one in text if one in "0123456789")


def year(value: int) -> str:
    """`nineteen eighty-four`, `two thousand five`, `twenty twenty-four`."""
    century, rest = divmod(value, _HUNDRED)
    if value < 1000 or (century % 10 == 0 and rest < 10) or value >= 10_000:  # noqa: PLR2004 - years
        return cardinal(value)
    if rest == 0:
        return f"{below_hundred(century)} hundred"
    if rest < 10:  # noqa: PLR2004 - one digit
        return f"{below_hundred(century)} oh {ONES[rest]}"
    return f"{below_hundred(century)} {below_hundred(rest)}"


def decade(value: int) -> str:
    """`nineteen eighties`, `nineteen hundreds`, `eighties`."""
    if value < _HUNDRED:
        return plural(below_hundred(value))
    return plural(year(value))


def plural(words: str) -> str:
    """The last word in the plural: `fifths`, `eighties`."""
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("s", "x")) else f"{words}s"


def fraction(numerator: int, denominator: int, *, joined: bool = False) -> str:
    """`one half`, `three quarters`, `five eighths`, `seven over zero`."""
    count = cardinal(numerator, joined=joined)
    named = {2: "half", 4: "quarter"}.get(denominator)
    if denominator == 2 and numerator != 1:  # noqa: PLR2004 - halves
        return f"{count} halves"
    if denominator < 2 or denominator > 10_000:  # noqa: PLR2004 - no such parts
        return f"{count} over {cardinal(denominator, joined=joined)}"
    part = named or ordinal(denominator)
    return f"{count} {part if numerator == 1 else plural(part)}"


def spell_number(text: str, *, joined: bool = False) -> str | None:
    """A number as written, with commas and a fraction or without; None if it is none.

    Leading zeros, and more digits than anybody counts, are read one by one.
    """
    spelled = _kept_number if len(text) <= _LONGEST_KEPT else _spell_number
    return spelled(text, joined=joined)


def _spell_number(text: str, *, joined: bool) -> str | None:
    whole, point, tail = text.partition(".")
    fractional = f"point {digits(tail)}" if point else ""
    if not whole:
        return fractional or None
    indian = _INDIAN.fullmatch(whole) is not None
    if "," in whole and not indian and not _GROUPED.fullmatch(whole):
        return None
    plain = whole.replace(",", "")
    if len(plain) > _LONGEST or (plain[0] == "0" and len(plain) > 1):
        words = digits(plain)
    else:
        words = cardinal(int(plain), joined=joined, indian=indian)
    return f"{words} {fractional}".strip()


_kept_number = lru_cache(maxsize=4096)(_spell_number)


def value_of(text: str) -> int | None:
    """The value of a whole number as written; None with a fraction, or too large."""
    plain = text.replace(",", "")
    return int(plain) if plain.isdecimal() and len(plain) <= _LONGEST else None
