"""Dates in the forms in which they are written."""

import re
from collections.abc import Callable

from services.tts.services.normalization.numerals import ordinal, year
from services.tts.services.normalization.quantities import parse_quantity
from services.tts.services.normalization.times import spell_clock
from services.tts.services.normalization.words import (
    Reading,
    Style,
    Words,
    core_at,
    follows,
    precedes,
)

MONTH_NAMES = [
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
]
MONTHS = {name: place for place, name in enumerate(MONTH_NAMES, start=1)}
MONTHS |= {name[:3]: place for name, place in list(MONTHS.items())}
MONTHS["Sept"] = 9
# "may" and "march" are verbs, "mar" and "dec" nothing: in lower case these count only in full.
MONTHS |= {
    name.lower(): place
    for name, place in list(MONTHS.items())
    if len(name) > 4 and name != "March"  # noqa: PLR2004 - not an abbreviation
}
MONTHS |= {name.upper(): place for name, place in list(MONTHS.items()) if name[0].isupper()}
_ISO = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])"
    r"(?:T([01][0-9]|2[0-3]):([0-5][0-9])(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(Z|[-+][0-9:]{2,6})?)?"
)
_NUMERIC = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_SHORT = re.compile(r"([0-9]{1,2})/([0-9]{1,2})")
_DAY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?(?:[-–]([0-9]{1,2})(?:st|nd|rd|th)?)?")
_YEAR = re.compile(r"[1-9][0-9]{3}")
_BEFORE_DATES = frozenset(
    ["on", "by", "until", "till", "since", "from", "due", "before", "after", "dated", "date"]
)
_LAST_DAY, _LAST_MONTH = 31, 12
_THIS_CENTURY = 50


def spell_date(day: int | None, month: int, of_year: int | None, style: Style) -> str:
    """`January fifth, twenty twenty-four`; in Britain `the fifth of January`."""
    name = MONTH_NAMES[month - 1]
    if day is None:
        return f"{name} {year(of_year)}" if of_year is not None else name
    if style.day_first:
        spoken, comma = f"the {ordinal(day)} of {name}", ""
    else:
        spoken, comma = f"{name} {ordinal(day)}", ","
    return spoken if of_year is None else f"{spoken}{comma} {year(of_year)}"


def read_numeric_date(words: Words, place: int, style: Style) -> Reading | None:
    """`2024-01-05`, `2024-01-05T14:30:00Z`, `1/5/2024`, `05.01.2024`, `on 3/4`."""
    core = core_at(words, place)
    found = _ISO.fullmatch(core)
    if found is not None:
        spoken = spell_date(int(found[3]) or None, int(found[2]), int(found[1]), style)
        if found[4]:
            zone = " U.T.C." if found[6] == "Z" else ""
            spoken = f"{spoken}, {spell_clock(int(found[4]), int(found[5]))}{zone}"
        return Reading(spoken, place + 1)
    found = _NUMERIC.fullmatch(core)
    if found is not None and (found[2] != "." or len(found[4]) == 4):  # noqa: PLR2004 - a year
        parts = day_and_month(int(found[1]), int(found[3]), style, dotted=found[2] == ".")
        if parts is not None:
            return Reading(spell_date(*parts, full_year(found[4]), style), place + 1)
    found = _SHORT.fullmatch(core)
    if found is not None and precedes(words, place).lower() in _BEFORE_DATES:
        parts = day_and_month(int(found[1]), int(found[2]), style)
        if parts is not None and follows(words, place) != "of":
            return Reading(spell_date(*parts, None, style), place + 1)
    return None


def day_and_month(
    first: int, second: int, style: Style, *, dotted: bool = False
) -> tuple[int, int] | None:
    """Which of two numbers is the day, by the region unless only one order is possible."""
    day, month = (first, second) if style.day_first or dotted else (second, first)
    if month > _LAST_MONTH:
        day, month = month, day
    return (day, month) if 1 <= day <= _LAST_DAY and 1 <= month <= _LAST_MONTH else None


def full_year(text: str) -> int:
    """2024 of `24`, 1999 of `99`."""
    value = int(text)
    if len(text) > 2:  # noqa: PLR2004 - the century is written
        return value
    return value + (2000 if value < _THIS_CENTURY else 1900)


def read_month_date(words: Words, place: int, style: Style) -> Reading | None:
    """`January 5, 2024`, `Jan. 5th`, `Jan 5-10`, `January 2024`."""
    month = MONTHS.get(core_at(words, place))
    if month is None or words[place].tail not in {"", "."} or place + 1 >= len(words):
        return None
    after = words[place + 1]
    if after.lead:
        return None
    name = MONTH_NAMES[month - 1]
    if _YEAR.fullmatch(after.core):
        return Reading(f"{name} {year(int(after.core))}", place + 2)
    days = _days(after.core)
    if days is None or (not after.tail and follows(words, place + 1) in {"%", "percent"}):
        return None
    if style.day_first:
        spoken, comma = f"the {days} of {name}", ""
    else:
        spoken, comma = f"{name} {days}", ","
    return _with_year(words, place + 2, spoken, comma)


def read_day_date(words: Words, place: int, style: Style) -> Reading | None:
    """`5 January 2024`, `5th of January`, `the 5th Jan.`."""
    following = follows(words, place)
    of = following == "of"
    month = MONTHS.get(follows(words, place + 1) if of else following)
    if month is None or (of and core_at(words, place).isdecimal()):
        return None
    days = _days(core_at(words, place))
    if days is None:
        return None
    name = MONTH_NAMES[month - 1]
    # The order is the writer's own, whatever the region.
    article = "" if precedes(words, place).lower() == "the" or not style.day_first else "the "
    spoken = f"{article}{days} of {name}"
    end = place + of + 2
    if words[end - 1].tail not in {"", ".", ","}:
        return Reading(spoken, end, dotted=True)
    return _with_year(words, end, spoken, "")


def _with_year(words: Words, place: int, spoken: str, comma: str) -> Reading:
    """The date and the year at a place, if there is one."""
    last = words[place - 1]
    year_word = core_at(words, place)
    if last.tail in {"", ",", "."} and _YEAR.fullmatch(year_word) and not words[place].lead:
        quantity = parse_quantity(core_at(words, place + 1))
        if last.tail or quantity is None:
            return Reading(f"{spoken}{comma} {year(int(year_word))}", place + 1)
    return Reading(spoken, place, dotted=last.core in MONTHS)


def _days(core: str) -> str | None:
    found = _DAY.fullmatch(core)
    if found is None:
        return None
    numbers = [int(one) for one in found.groups() if one]
    if not all(1 <= one <= _LAST_DAY for one in numbers):
        return None
    return " to ".join(ordinal(one) for one in numbers)


DATE_RULES: tuple[Callable[[Words, int, Style], Reading | None], ...] = (
    read_numeric_date,
    read_day_date,
)
"""Those that begin with a digit."""
