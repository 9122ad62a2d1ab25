"""Dates, years and times of day: matchers of `shared.text.itn`."""

from dataclasses import dataclass

from shared.text.itn_lexicon import (
    BEFORE_DATES,
    BEFORE_TIMES,
    BEFORE_YEARS,
    COUNTED,
    DECADES,
    DIGITS,
    MERIDIEMS,
    MONTHS,
    OH,
    TEENS,
    TENS,
    VERB_MONTHS,
)
from shared.text.itn_numbers import Lexemes, Number, at, in_digits, ordinal_text, read_number

_LAST_DAY = 31
_LAST_HOUR = 12
_HOUR = 60
_SURE_CENTURIES = frozenset({18, 19, 20})


@dataclass(frozen=True, slots=True)
class Piece:
    """What the words from `first` to `end` (exclusive) are written as."""

    text: str
    first: int
    end: int


Match = list[Piece]


def read_year(lexemes: Lexemes, start: int, *, dated: bool = False) -> Number | None:
    """A year: "nineteen eighty four", "twenty oh five", "two thousand and eight".

    Args:
        lexemes: The text.
        start: Where it begins.
        dated: Whether what comes before says that a year follows.
    """
    century = _two_digits(lexemes, start)
    if century is not None and 10 <= century.value <= 20:  # noqa: PLR2004 - years 1000 to 2099
        place = century.end
        if at(lexemes, place) in OH and at(lexemes, place + 1) in DIGITS:
            value = century.value * 100 + DIGITS[at(lexemes, place + 1)]
            sure, found = True, Number(value, place + 2)
        else:
            rest = _two_digits(lexemes, place)
            if rest is None or at(lexemes, rest.end) in ("hundred", "thousand"):
                return _thousands(lexemes, start, dated=dated)
            sure = century.value in _SURE_CENTURIES and rest.value != century.value + 1
            found = Number(century.value * 100 + rest.value, rest.end)
        follower = at(lexemes, found.end)
        if follower in COUNTED or _is_digit_word(follower) or not (sure or dated):
            return None
        return found
    return _thousands(lexemes, start, dated=dated)


def _thousands(lexemes: Lexemes, start: int, *, dated: bool) -> Number | None:
    number = read_number(lexemes, start)
    if number is None or number.ordinal:
        return None
    if 2000 < number.value < 2100 and at(lexemes, start) == "two":  # noqa: PLR2004
        return number
    if dated and (number.value == 2000 or number.hundreds) and number.value <= 2000:  # noqa: PLR2004
        return number
    return None


def _is_digit_word(word: str) -> bool:
    return word in DIGITS or word in TEENS or word in TENS


def _two_digits(lexemes: Lexemes, start: int) -> Number | None:
    """A cardinal from 10 to 99."""
    word = at(lexemes, start)
    if word in TEENS:
        return Number(TEENS[word], start + 1)
    if word not in TENS:
        return None
    following = at(lexemes, start + 1)
    if following != "zero" and following in DIGITS:
        return Number(TENS[word] + DIGITS[following], start + 2)
    return Number(TENS[word], start + 1)


def match_decade(lexemes: Lexemes, start: int) -> Match | None:
    """A decade: "nineteen eighties"."""
    century = _two_digits(lexemes, start)
    if century is None or not 10 <= century.value <= 20:  # noqa: PLR2004
        return None
    decade = DECADES.get(at(lexemes, century.end))
    if decade is None:
        return None
    return [Piece(f"{century.value * 100 + decade}s", start, century.end + 1)]


def match_year(lexemes: Lexemes, start: int) -> Match | None:
    """A year that stands alone."""
    dated = at(lexemes, start - 1) in BEFORE_YEARS
    year = read_year(lexemes, start, dated=dated)
    if year is None or _measures(lexemes, year.end):
        return None
    return [Piece(str(year.value), start, year.end)]


def _measures(lexemes: Lexemes, place: int) -> bool:
    """Whether what follows makes an amount of it."""
    word = at(lexemes, place)
    return word in COUNTED or word in {"percent", "per", "point", "dollars", "pounds", "rupees"}


def match_date(lexemes: Lexemes, start: int) -> Match | None:
    """A month with a day or a year: "january fifth twenty twenty four"."""
    month = at(lexemes, start)
    if month not in MONTHS or in_digits(lexemes, start - 1):
        return None  # "5 January" has its day.
    named = Piece(month.capitalize(), start, start + 1)
    year = read_year(lexemes, start + 1, dated=True)
    likely = month not in VERB_MONTHS or _before_date(lexemes, start)
    if year is not None and likely:
        return [named, Piece(str(year.value), start + 1, year.end)]
    day = _day(lexemes, start + 1)
    if day is None:
        return None
    year = read_year(lexemes, day.end, dated=True)
    likely = likely if day.ordinal else month not in VERB_MONTHS
    if year is None:
        return [named, Piece(str(day.value), start + 1, day.end)] if likely else None
    return [
        named,
        Piece(f"{day.value},", start + 1, day.end),
        Piece(str(year.value), day.end, year.end),
    ]


def _day(lexemes: Lexemes, start: int) -> Number | None:
    """The day after a month: "fifth", "the fifth", "five"."""
    article = at(lexemes, start) == "the"
    day = read_number(lexemes, start + article, joined=False)
    if day is None or not 1 <= day.value <= _LAST_DAY:
        return None
    if not day.ordinal and (article or at(lexemes, day.end) in COUNTED | {"percent", "point"}):
        return None
    return day


def _before_date(lexemes: Lexemes, start: int) -> bool:
    return at(lexemes, start - 1) in BEFORE_DATES or not at(lexemes, start - 1)


def match_day_of_month(lexemes: Lexemes, start: int) -> Match | None:
    """A day before its month: "fifth of january"; the words stay in their order."""
    day = read_number(lexemes, start, joined=False)
    if day is None or not day.ordinal or day.value > _LAST_DAY:
        return None
    of = at(lexemes, day.end) == "of"
    place = day.end + of
    month = at(lexemes, place)
    if month not in MONTHS or (not of and month in VERB_MONTHS):
        return None
    found = [Piece(ordinal_text(day.value), start, day.end)]
    if of:
        found.append(Piece("of", day.end, place))
    found.append(Piece(month.capitalize(), place, place + 1))
    year = read_year(lexemes, place + 1, dated=True)
    if year is not None:
        found.append(Piece(str(year.value), place + 1, year.end))
    return found


def match_time(lexemes: Lexemes, start: int) -> Match | None:
    """A time of day: "three thirty p m", "half past three", "ten o'clock"."""
    spoken = _relative(lexemes, start) or _clock(lexemes, start)
    if spoken is None:
        return None
    text, place, sure = spoken
    if at(lexemes, place) == "o'clock":
        text, place, sure = text if ":" in text else f"{text}:00", place + 1, True
    half = _meridiem(lexemes, place)
    if half is not None:
        written, end = half
        return [Piece(text, start, place), Piece(written, place, end)]
    return [Piece(text, start, place)] if sure else None


def _meridiem(lexemes: Lexemes, place: int) -> tuple[str, int] | None:
    for length in (2, 1):
        said = tuple(at(lexemes, place + step) for step in range(length))
        if said in MERIDIEMS:
            # "the one am I": no time.
            doubtful = said == ("am",) and at(lexemes, place + 1) in {"i", "not"}
            return None if doubtful else (MERIDIEMS[said], place + length)
    return None


def _hour(lexemes: Lexemes, place: int) -> int | None:
    word = at(lexemes, place)
    value = DIGITS.get(word) or TEENS.get(word, 0)
    return value if 1 <= value <= _LAST_HOUR else None


def _clock(lexemes: Lexemes, start: int) -> tuple[str, int, bool] | None:
    """An hour with or without minutes; sure only where a time is expected."""
    hour = _hour(lexemes, start)
    if hour is None:
        return None
    place = start + 1
    if at(lexemes, place) in OH and DIGITS.get(at(lexemes, place + 1), 0):
        minutes, end = DIGITS[at(lexemes, place + 1)], place + 2
    else:
        spoken = _two_digits(lexemes, place)
        if spoken is None or spoken.value >= _HOUR:
            return str(hour), place, False
        minutes, end = spoken.value, spoken.end
    follower = at(lexemes, end)
    sure = at(lexemes, start - 1) in BEFORE_TIMES and not (
        follower in COUNTED or _is_digit_word(follower) or _measures(lexemes, end)
    )
    return f"{hour}:{minutes:02}", end, sure


def _relative(lexemes: Lexemes, start: int) -> tuple[str, int, bool] | None:
    """Minutes before or after an hour."""
    article = at(lexemes, start) == "a" and at(lexemes, start + 1) == "quarter"
    place = start + article
    word = at(lexemes, place)
    named = {"half": 30, "quarter": 15}.get(word)
    if named is not None:
        minutes, place, said = named, place + 1, True
    else:
        number = _two_digits(lexemes, place)
        if number is None and word in DIGITS:
            number = Number(DIGITS[word], place + 1)
        if number is None or not 1 <= number.value < _HOUR:
            return None
        minutes, place = number.value, number.end
        said = at(lexemes, place) in {"minutes", "minute"}
        place += said
    direction = at(lexemes, place)
    hour = _hour(lexemes, place + 1)
    if hour is None or direction not in {"past", "after", "to", "till"}:
        return None
    end = place + 2
    expected = at(lexemes, start - 1) in BEFORE_TIMES | {"is", "it's"}
    timed = _meridiem(lexemes, end) is not None or at(lexemes, end) == "o'clock"
    if direction == "past" or timed or (named == 15 and direction != "after"):  # noqa: PLR2004
        sure = True
    else:
        sure = expected or (named is not None and word == "quarter")
    if word == "half" and direction != "past":
        return None
    if not sure or (named is None and not said and minutes % 5 and not expected):
        return None
    if at(lexemes, end) in COUNTED or _is_digit_word(at(lexemes, end)):
        return None
    if direction in {"to", "till"}:
        hour, minutes = (hour - 2) % _LAST_HOUR + 1, _HOUR - minutes
    return f"{hour}:{minutes:02}", end, True
