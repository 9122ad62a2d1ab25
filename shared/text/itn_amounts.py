"""Money, percentages, measures, digit sequences and plain numbers: matchers of `itn`."""

from dataclasses import dataclass

from shared.text.itn_dates import Match, Piece
from shared.text.itn_lexicon import (
    AFTER_SECONDS,
    DIGITS,
    ENDS_PRICE,
    MONTHS,
    OH,
    REPEATS,
    SCALES,
    TENS,
)
from shared.text.itn_numbers import (
    Amount,
    Lexeme,
    Lexemes,
    Number,
    at,
    ends_at,
    ordinal_text,
    read_amount,
    read_number,
)
from shared.text.itn_units import (
    CURRENCIES,
    LONGEST_UNIT,
    SMALL_MONEY,
    UNITS,
    WEIGHED,
    Currency,
)

_SMALL = 10
_HUNDRED = 100
_JOINED_DIGITS = 3
_MOST_DIGITS = 20
_LOCAL, _NATIONAL, _WITH_COUNTRY = 7, 10, 11


def match_amount(lexemes: Lexemes, start: int) -> Match | None:
    """A number with what is counted, where that has a sign or a symbol."""
    minus = at(lexemes, start) == "minus" and not _is_number(lexemes, start - 1)
    begin = start + minus
    if at(lexemes, begin) == "point":
        return _bare_fraction(lexemes, begin) if not minus else None
    joined = at(lexemes, start - 1) != "between"
    amount = read_amount(lexemes, begin, joined=joined)
    if amount is None:
        return None
    sign = "-" if minus else ""
    measured = (
        _percent(lexemes, start, amount, sign)
        or (None if minus else _money(lexemes, start, amount))
        or _measure(lexemes, start, amount, sign)
    )
    if measured is not None:
        return measured
    large = amount.value is None or amount.value >= _SMALL
    article = at(lexemes, begin) == "a"
    if (large and (minus or article)) or amount.value is None or amount.scale:
        if article and amount.end == begin + 2:
            return None
        return _scaled(sign + amount.text, start, amount)
    return None


def _is_number(lexemes: Lexemes, place: int) -> bool:
    """Whether a number ends here; what is no plain word may be one in digits."""
    word = at(lexemes, place)
    return place >= 0 and (
        word == "" or word in DIGITS or word in TENS or read_number(lexemes, place) is not None
    )


def _scaled(text: str, start: int, amount: Amount) -> Match:
    """The digits, and the scale as a word of its own."""
    if not amount.scale:
        return [Piece(text, start, amount.end)]
    last = amount.end - 1
    return [Piece(text, start, last), Piece(amount.scale, last, amount.end)]


def _bare_fraction(lexemes: Lexemes, start: int) -> Match | None:
    """A fraction without a whole, "point five percent", where a symbol follows."""
    lead = [Lexeme("zero", -1), *lexemes[start : start + 24]]
    amount = read_amount(lead, 0)
    if amount is None or amount.value is not None:
        return None
    shifted = Amount(amount.text, amount.end + start - 1, None, amount.scale)
    return _percent(lexemes, start, shifted, "") or _measure(lexemes, start, shifted, "")


def _percent(lexemes: Lexemes, start: int, amount: Amount, sign: str) -> Match | None:
    place = amount.end
    if at(lexemes, place) == "percent":
        end = place + 1
    elif (at(lexemes, place), at(lexemes, place + 1)) == ("per", "cent"):
        end = place + 2
    else:
        return None
    if amount.scale:
        return None
    return [Piece(f"{sign}{amount.text}%", start, end)]


def _measure(lexemes: Lexemes, start: int, amount: Amount, sign: str) -> Match | None:
    for length in range(LONGEST_UNIT, 0, -1):
        words = tuple(at(lexemes, amount.end + step) for step in range(length))
        if words in UNITS:
            end = amount.end + length
            unit = Piece(UNITS[words], amount.end, end)
            return [*_scaled(sign + amount.text, start, amount), unit]
    return None


def _money(lexemes: Lexemes, start: int, amount: Amount) -> Match | None:
    name = at(lexemes, amount.end)
    end = amount.end + 1
    if name in SMALL_MONEY and amount.value is not None and not amount.scale:
        return [Piece(f"{amount.text}{SMALL_MONEY[name]}", start, end)]
    currency = CURRENCIES.get(name)
    if currency is None or (name.startswith("pound") and at(lexemes, end) in WEIGHED):
        return None
    if amount.scale:
        return [
            Piece(f"{currency.sign}{amount.text}", start, amount.end - 1),
            Piece(amount.scale, amount.end - 1, end),
        ]
    if amount.value is not None:
        minor = _minor(lexemes, end, currency)
        if minor is not None:
            return [Piece(f"{currency.sign}{amount.text}.{minor.value:02}", start, minor.end)]
    elif amount.text[-2:-1] == ".":
        amount = Amount(f"{amount.text}0", amount.end, None)
    return [Piece(f"{currency.sign}{amount.text}", start, end)]


def _minor(lexemes: Lexemes, place: int, currency: Currency) -> Number | None:
    """Hundredths: "and twenty cents", "twenty cents", or "fifty" where the price ends with it."""
    joined = at(lexemes, place) == "and"
    number = read_number(lexemes, place + joined)
    if number is None or number.ordinal or not 1 <= number.value < _HUNDRED:
        return None
    if at(lexemes, number.end) in currency.minor:
        return Number(number.value, number.end + 1)
    follower = at(lexemes, number.end)
    if joined or number.value < _SMALL or not currency.minor:
        return None
    return number if follower == "" or follower in ENDS_PRICE else None


def match_ordinal(lexemes: Lexemes, start: int) -> Match | None:
    """One of a row, "twenty first"; those below the tenth stay words."""
    number = read_number(lexemes, start)
    if number is None or not number.ordinal or number.value < _SMALL:
        return None
    if number.end - start == 1 and _is_number(lexemes, start - 1):
        return None  # "one tenth"
    if at(lexemes, number.end - 1) == "second" and at(lexemes, number.end) in AFTER_SECONDS:
        return None
    return [Piece(ordinal_text(number.value), start, number.end)]


@dataclass(frozen=True, slots=True)
class _Part:
    """One number of a run: its digits, and how long they are as spoken."""

    text: str
    value: int
    first: int
    end: int

    @property
    def single(self) -> bool:
        """Whether it was said digit by digit."""
        return self.value < _SMALL or len(self.text) != len(str(self.value))


def match_run(lexemes: Lexemes, start: int) -> Match | None:
    """Numbers one after another; takes all of them, so that none is looked at twice.

    Digits said singly make one sequence. Of other numbers each is written by itself.
    """
    parts = _parts(lexemes, start)
    if not parts:
        return None
    end = parts[-1].end
    sequence = _sequence(parts)
    if sequence is not None:
        return [Piece(sequence, start, end)]
    if len(parts) > 1 and all(part.single for part in parts) and len(parts) > _MOST_DIGITS:
        return [Piece(part.text, part.first, part.end) for part in parts]
    # "by three thirty" may be a time: it stays in words where nothing says what it is.
    unclear = len(parts) == 2 and parts[0].single and parts[1].value < _HUNDRED  # noqa: PLR2004
    large = not unclear and any(part.value >= _SMALL for part in parts)
    return [_written(lexemes, part, large=large) for part in parts]


def _written(lexemes: Lexemes, part: _Part, *, large: bool) -> Piece:
    if large and part.text:
        return Piece(part.text, part.first, part.end)
    said = " ".join(lexemes[place].text for place in range(part.first, part.end))
    return Piece(said, part.first, part.end)


def _parts(lexemes: Lexemes, start: int) -> list[_Part]:
    parts: list[_Part] = []
    place = start
    joined = at(lexemes, start - 1) != "between"
    while True:
        part = _digits(lexemes, place, begun=bool(parts)) or _number(lexemes, place, joined=joined)
        if part is None:
            return parts
        if parts and _measured(lexemes, part):
            return parts  # The last one counts something: another matcher writes it.
        parts.append(part)
        place = part.end


def _measured(lexemes: Lexemes, part: _Part) -> bool:
    follower = at(lexemes, part.end)
    return (
        follower in CURRENCIES
        or follower in SMALL_MONEY
        or follower in SCALES
        or follower in {"percent", "per", "point", "hundred"}
        or (follower,) in UNITS
        or follower in MONTHS
    )


def _digits(lexemes: Lexemes, place: int, *, begun: bool) -> _Part | None:
    """One digit, "double five", or "oh" inside a sequence."""
    word = at(lexemes, place)
    following = at(lexemes, place + 1)
    if word in REPEATS:
        digit = "0" if following in OH else str(DIGITS.get(following, ""))
        if not digit:
            return None
        return _Part(digit * REPEATS[word], int(digit), place, place + 2)
    if word in OH and begun and (following in DIGITS or following in OH or following in REPEATS):
        return _Part("0", 0, place, place + 1)
    if word in OH and begun and lexemes[place - 1].text in DIGITS and ends_at(lexemes, place + 1):
        return _Part("0", 0, place, place + 1)
    if word in DIGITS and following != "hundred" and following not in SCALES:
        return _Part(str(DIGITS[word]), DIGITS[word], place, place + 1)
    return None


def _number(lexemes: Lexemes, place: int, *, joined: bool) -> _Part | None:
    exchange = _freephone(lexemes, place)
    if exchange is not None:
        return exchange
    amount = read_amount(lexemes, place, joined=joined)
    if amount is None or amount.value is None or amount.scale or at(lexemes, place) == "a":
        return None
    number = amount.number
    text = str(amount.value) if number is not None and number.hundreds else amount.text
    return _Part(text, amount.value, place, amount.end)


def _freephone(lexemes: Lexemes, place: int) -> _Part | None:
    """An "eight hundred" that seven single digits follow: the first is not part of it."""
    word = at(lexemes, place)
    if word in DIGITS and at(lexemes, place + 1) == "hundred":
        after = range(place + 2, place + 2 + _LOCAL)
        if all(at(lexemes, one) in DIGITS or at(lexemes, one) in OH for one in after):
            return _Part(f"{DIGITS[word]}00", DIGITS[word], place, place + 2)
    return None


def _sequence(parts: list[_Part]) -> str | None:
    """The parts as one sequence of digits; None where they are separate numbers."""
    digits = "".join(part.text for part in parts)
    if not _JOINED_DIGITS <= len(digits) <= _MOST_DIGITS or not digits.isdigit():
        return None
    if all(part.single for part in parts):
        counting = [part.value for part in parts] == list(range(1, len(parts) + 1))
        return None if counting and len(parts) > 1 else _spaced(digits)
    if len(parts) == 2:  # noqa: PLR2004 - "one twenty three", said for a room or a flight
        lead, rest = parts
        whole = lead.single and rest.value > 20 and rest.value % 10 and rest.value < _HUNDRED  # noqa: PLR2004
        return digits if whole and lead.value else None
    leading = parts[0].single and parts[1].single
    two_digits = all(part.value < _HUNDRED for part in parts)
    return _spaced(digits) if leading and two_digits and len(digits) >= _LOCAL else None


def _spaced(digits: str) -> str:
    """Telephone numbers by the length of the North American ones."""
    if len(digits) == _LOCAL:
        return f"{digits[:3]}-{digits[3:]}"
    if len(digits) == _NATIONAL:
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    if len(digits) == _WITH_COUNTRY and digits[0] == "1":
        return f"1-{_spaced(digits[1:])}"
    return digits
