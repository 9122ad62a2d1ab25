"""Text whose kind its writer told: `say-as` of SSML.

What does not look like its kind is read like any other text, as the specification wants it.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from services.tts.services.normalization import normalize_text
from services.tts.services.normalization.dates import day_and_month, full_year, spell_date
from services.tts.services.normalization.english import style_of
from services.tts.services.normalization.figures import spell_telephone
from services.tts.services.normalization.leftovers import SYMBOLS
from services.tts.services.normalization.numerals import (
    cardinal,
    digits,
    fraction,
    ordinal,
    value_of,
)
from services.tts.services.normalization.others import spell as spell_value
from services.tts.services.normalization.words import Style, spell

_CARDINALS, _DIGITS = frozenset({"cardinal", "number"}), frozenset({"digits", "telephone"})
_LETTERS = frozenset({"characters", "spell-out"})
_DATE_PARTS = re.compile(r"[0-9]{1,4}")
_FORMATS = frozenset(
    {"mdy", "dmy", "ymd", "ydm", "md", "dm", "my", "ym", "y", "m", "d", "yyyymmdd"}
)
_FRACTION = re.compile(r"(?:([0-9]{1,6})[+ ])?([0-9]{1,6})/([0-9]{1,6})")
_LAST_DAY, _LAST_MONTH = 31, 12
_MARKS = {"-": "dash", ".": "dot", "_": "underscore", "*": "star", " ": ","}


def say_as(text: str, interpret_as: str, form: str, language: str) -> str:
    """How a text of a known kind is spoken.

    Args:
        text: Short, without line breaks.
        interpret_as: One of `services.tts.services.ssml.INTERPRETATIONS`.
        form: `mdy` and the like of a date, else empty.
        language: ISO 639 code, with a region if wanted.
    """
    primary, _, region = language.replace("_", "-").lower().partition("-")
    spoken = (
        _english(text, interpret_as, form, style_of(region))
        if primary == "en"
        else _other(text, interpret_as, primary)
    )
    return spoken or normalize_text(text, language)


def _english(text: str, interpret_as: str, form: str, style: Style) -> str | None:
    if interpret_as in _LETTERS:
        return characters(text)
    if interpret_as == "date":
        return _date(text, form.lower(), style)
    if interpret_as == "telephone":
        return spell_telephone(text) or None
    if interpret_as == "digits":
        return digits(text) or None
    if interpret_as == "fraction":
        return _fraction(text, style)
    return _number(text, interpret_as, style)


def _number(text: str, interpret_as: str, style: Style) -> str | None:
    value = value_of(text)
    if value is None:
        return None
    if interpret_as in _CARDINALS:
        return cardinal(value, joined=style.joined)
    return ordinal(value, joined=style.joined) if interpret_as == "ordinal" else None


def characters(text: str) -> str:
    """Each character by its name, with a pause where a space was."""
    runs = re.findall(r"[^\W\d_]+|.", text, re.DOTALL)
    names = (spell(run) if run.isalpha() else _character(run) for run in runs)
    return " ".join(filter(None, names)).replace(" ,", ",")


def _character(one: str) -> str:
    if one in _MARKS:
        return _MARKS[one]
    if one in SYMBOLS:
        return SYMBOLS[one]
    if one.isascii() and one.isdecimal():
        return digits(one)
    return one if one.isalnum() else ""


def _date(text: str, form: str, style: Style) -> str | None:
    if form == "yyyymmdd" or (not form and re.fullmatch(r"[12][0-9]{7}", text)):
        text, form = f"{text[:4]}-{text[4:6]}-{text[6:8]}", "ymd"
    numbers = _DATE_PARTS.findall(text)
    if form not in _FORMATS or len(numbers) != len(form) or re.search("[A-Za-z]", text):
        return None
    parts = dict(zip(form, numbers, strict=True))
    day, month = (int(parts.get(one, 0)) for one in "dm")
    year = full_year(parts["y"]) if "y" in parts else None
    if not (0 <= day <= _LAST_DAY and 0 <= month <= _LAST_MONTH):
        return None
    if day and month and day_and_month(day, month, style) is None:
        return None
    if month:
        return spell_date(day or None, month, year, style)
    return ordinal(day) if day else None


def _fraction(text: str, style: Style) -> str | None:
    found = _FRACTION.fullmatch(text.replace("\u2044", "/"))
    if found is None:
        return None
    part = fraction(int(found[2]), int(found[3]), joined=style.joined)
    if not found[1]:
        return part
    article = {"one half": "a half", "one quarter": "a quarter"}.get(part, part)
    return f"{cardinal(int(found[1]), joined=style.joined)} and {article}"


def _other(text: str, interpret_as: str, language: str) -> str | None:
    """Other languages: digits and letters one by one, numbers by their words."""
    if interpret_as in _LETTERS | _DIGITS:
        kept: Callable[[str], bool] = str.isdecimal if interpret_as in _DIGITS else str.isalnum
        return " ".join(one for one in text if kept(one)) or None
    value = value_of(text)
    if value is None or interpret_as not in _CARDINALS | {"ordinal"}:
        return None
    kind = "cardinal" if interpret_as in _CARDINALS else "ordinal"
    return spell_value(Decimal(value), kind, language)
