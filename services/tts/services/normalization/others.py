"""Other languages: numbers, ordinals, percentages and money by num2words, where it knows them.

Everything else is left as the engine takes it.
"""

import re
from decimal import Decimal
from functools import lru_cache
from threading import Lock
from typing import Any

from num2words import CONVERTER_CLASSES

from services.tts.services.normalization.words import (
    LONGEST,
    Piece,
    Reading,
    Words,
    core_at,
    follows,
    read_words,
    split_words,
)

_OWN_NAMES = {"kk": "kz", "nb": "no", "nn": "no"}
# Where 1.234,5 is a thousand and more; in all others it is 1,234.5.
_COMMA = frozenset(
    [
        *("de", "es", "fr", "it", "pt", "nl", "pl", "ru", "uk", "tr", "sv", "da", "fi", "cs", "ro"),
        *("hu", "id", "vi", "el", "ca", "no", "nb", "sk", "sl", "sr", "lt", "lv", "is", "be", "az"),
    ]
)
_SPACED = frozenset(
    ["fr", "ru", "uk", "pl", "cs", "sk", "sv", "fi", "no", "nb", "hu", "be", "lt", "lv", "sl"]
)
_FIRST_GROUP = re.compile("[-\u2212]?[1-9][0-9]{0,2}")
_GROUP_BEHIND = re.compile(r"[0-9]{3}(?![0-9.:/-])")
_MOST_GROUPS = 5
_POINT_REGIONS = frozenset({"mx", "us", "gt", "hn", "ni", "pa", "do", "pr", "sv", "ch", "li"})
_SPACES = "\u00a0\u202f\u2009"
_AMOUNT = r"[0-9]{1,15}(?:[.,'’" + _SPACES + r"][0-9]{1,9}){0,5}"
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW"}
_SIGNS |= {"zł": "PLN", "Kč": "CZK", "R$": "BRL", "₴": "UAH", "₺": "TRY"}
_CODES = frozenset({*_SIGNS.values(), "CHF", "SEK", "NOK", "DKK", "HUF", "CAD", "AUD", "MXN"})
_SIGN = "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<minus>[-\u2212]?)(?P<before>{_SIGN})?(?P<amount>{_AMOUNT})"
    rf"(?P<behind>{_SIGN}|%|º|ª|er|ère|re|e|è|ème|de|ste|:a|:e)?"
)
_PERCENT = {
    "de": "Prozent",
    "es": "por ciento",
    "fr": "pour cent",
    "it": "per cento",
    "pt": "por cento",
    "nl": "procent",
    "pl": "procent",
    "ru": "процентов",
    "uk": "відсотків",
    "cs": "procent",
    "sv": "procent",
    "da": "procent",
    "no": "prosent",
    "fi": "prosenttia",
    "ro": "la sută",
    "hu": "százalék",
    "id": "persen",
    "ca": "per cent",
}
_POINT_WORD = {
    "de": "Komma",
    "es": "coma",
    "fr": "virgule",
    "it": "virgola",
    "pt": "vírgula",
    "nl": "komma",
    "pl": "przecinek",
    "uk": "кома",
    "tr": "virgül",
    "sv": "komma",
    "da": "komma",
    "no": "komma",
    "nb": "komma",
    "fi": "pilkku",
    "ro": "virgulă",
    "ca": "coma",
    "id": "koma",
    "lt": "kablelis",
    "lv": "komats",
    "he": "נקודה",
    "ko": "점",
    "kn": "ಬಿಂದು",
    "te": "బిందువు",
    "bn": "দশমিক",
}
_MINUS_WORD = {"it": "meno", "id": "minus"}
_ONE = {"de": "ein", "es": "un", "it": "un", "ro": "un", "da": "en", "sv": "en", "cs": "jedno"}
"""Before the name of a currency."""
_BROKEN = frozenset({"am", "ar", "cy", "ja"})
"""The library does not say these well enough."""
_ORDINAL_ENDS = {
    "es": {"º", "ª"},
    "pt": {"º", "ª"},
    "it": {"º", "ª"},
    "fr": {"er", "ère", "re", "e", "è", "ème"},
    "nl": {"e", "de", "ste"},
    "sv": {":a", ":e"},
}
_LONGEST_NUMBER, _GROUP = 15, 3
_FACTOR = 14
"""How much longer the words may be than what was written."""
# Some converters keep what they work on in themselves.
_lock = Lock()
_Unable = (
    NotImplementedError,
    OverflowError,
    ArithmeticError,
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
)


def knows(language: str) -> bool:
    """Whether numbers of the language can be spelled."""
    return language not in _BROKEN and _OWN_NAMES.get(language, language) in CONVERTER_CLASSES


def read_other(text: str, language: str, region: str = "") -> list[Piece]:
    """The pieces of a text.

    Args:
        text: A sentence or a few.
        language: ISO 639 code, one that `knows` knows.
        region: `mx` of `es-MX`; empty for none.
    """
    comma = language in _COMMA and region not in _POINT_REGIONS

    def read(words: Words, place: int) -> Reading | None:
        if not any("0" <= one <= "9" for one in words[place].core):
            return None
        return _read(words, place, language, comma=comma)

    return read_words(split_words(text), read)


def _read(words: Words, place: int, language: str, *, comma: bool) -> Reading | None:
    core, end = _with_groups(words, place, language)
    found = _NUMBER.fullmatch(core) if len(core) <= LONGEST else None
    value = decimal_of(found["amount"], comma=comma) if found else None
    if found is None or value is None:
        return None
    value = -value if found["minus"] else value
    sign = found["before"] or found["behind"] or ""
    following = follows(words, end - 1)
    if not sign and following in {*_SIGNS, *_CODES, "%"}:
        sign, end = following, end + 1
    spoken = _spell(value, found["amount"], sign, language)
    written = sum(len(word.raw) for word in words[place:end])
    if spoken is None or len(spoken) > _FACTOR * written + _FACTOR:
        return None
    return Reading(spoken, end)


def _with_groups(words: Words, place: int, language: str) -> tuple[str, int]:
    """A number whose thousands are set apart by spaces, and the place after it."""
    core, end = core_at(words, place), place + 1
    if language not in _SPACED or not _FIRST_GROUP.fullmatch(core):
        return core, end
    while end - place < _MOST_GROUPS and _GROUP_BEHIND.match(follows(words, end - 1)):
        core += core_at(words, end)
        end += 1
        if not core.isdecimal():
            break
    return core, end


def _spell(value: Decimal, written: str, sign: str, language: str) -> str | None:
    if not sign:
        leading_zero = written[0] == "0" and written[1:2].isdecimal()
        return None if leading_zero else spell(value, "cardinal", language)
    if sign in _ORDINAL_ENDS.get(language, ()):
        whole = value == value.to_integral_value() and value > 0
        return spell(value, "ordinal", language) if whole else None
    if sign == "%":
        count = spell(value, "cardinal", language)
        name = _PERCENT.get(language)
        return f"{count} {name}" if count and name else None
    currency = _SIGNS.get(sign, sign)
    return spell(value, "currency", language, currency) if currency in _CODES else None


def decimal_of(written: str, *, comma: bool) -> Decimal | None:
    """The value of a number as the language writes it; None if its marks do not fit.

    Args:
        written: Digits with marks between them.
        comma: Whether a comma is before the fraction.
    """
    point, group = (",", ".") if comma else (".", ",")
    whole, mark, tail = written.partition(point)
    groups = re.split(rf"[{re.escape(group)}'’{_SPACES}]", whole)
    if len(groups) > 1 and not (
        len(groups[0]) <= _GROUP and all(len(one) == _GROUP for one in groups[1:])
    ):
        return None
    if mark and not tail.isdecimal():
        return None
    plain = "".join(groups)
    if not plain.isdecimal() or len(plain) > _LONGEST_NUMBER:
        return None
    return Decimal(f"{plain}.{tail}" if mark else plain)


def spell(value: Decimal, kind: str, language: str, currency: str = "") -> str | None:
    """A number in words; None if the library does not know how.

    Args:
        value: What to say; each written digit of its fraction is said.
        kind: `cardinal`, `ordinal` or `currency`.
        language: ISO 639 code.
        currency: ISO 4217 code.
    """
    # Not by the number: 1 and 1.0 are equal, but are not said alike. Never with an exponent.
    return _spelled(f"{value:f}", kind, language, currency)


@lru_cache(maxsize=4096)
def _spelled(plain: str, kind: str, language: str, currency: str) -> str | None:
    converter: Any = CONVERTER_CLASSES.get(_OWN_NAMES.get(language, language))
    if converter is None:
        return None
    with _lock:
        try:
            spoken = _convert(converter, plain, kind, language, currency)
        except _Unable:
            return None
    # What a converter does not know it writes in digits or in brackets.
    return spoken if not any(one in "0123456789()" for one in spoken) else None


def _convert(converter: Any, plain: str, kind: str, language: str, currency: str) -> str:
    value = Decimal(plain)
    whole = int(value)
    if kind == "ordinal":
        return str(converter.to_ordinal(whole))
    if kind == "currency" and value == whole:
        # The library takes whole numbers for cents, and says of others that there are none.
        major = converter.CURRENCY_FORMS[currency][0]
        return f"{_count(converter, whole, language)} {converter.pluralize(whole, major)}"
    if kind == "currency":
        spoken = str(converter.to_currency(float(value), currency=currency))
        return " ".join(spoken.replace(",", " ").split())
    words = [str(converter.to_cardinal(abs(whole))).strip()]
    if value < 0:
        minus = _MINUS_WORD.get(language) or converter.negword
        words.insert(0, minus.strip())
    # Digit by digit: the library's own way goes through binary fractions.
    tail = plain.partition(".")[2]
    if tail:
        words += [_POINT_WORD[language], *(str(converter.to_cardinal(int(one))) for one in tail)]
    return " ".join(words)


def _count(converter: Any, value: int, language: str) -> str:
    """A number before a noun."""
    if value == 1 and language in _ONE:
        return _ONE[language]
    words = str(converter.to_cardinal(value))
    if language == "es" and words.endswith("uno"):
        return f"{words[:-3]}ún" if words.endswith("veintiuno") else words[:-1]
    return words
