"""English: which rule reads which word."""

from collections.abc import Sequence

from services.tts.services.normalization.dates import (
    read_day_date,
    read_month_date,
    read_numeric_date,
)
from services.tts.services.normalization.figures import (
    read_fraction,
    read_measures,
    read_number_sign,
    read_telephone,
    read_version,
)
from services.tts.services.normalization.leftovers import read_leftover
from services.tts.services.normalization.letters import (
    read_abbreviation,
    read_acronym,
    read_roman,
)
from services.tts.services.normalization.money import read_money
from services.tts.services.normalization.quantities import read_quantity
from services.tts.services.normalization.times import read_time
from services.tts.services.normalization.web import read_address
from services.tts.services.normalization.words import (
    FIXED,
    Piece,
    Reading,
    Rule,
    Style,
    Word,
    Words,
    core_at,
    read_words,
    split_words,
)

# For each kind of word the rules in their order: the first that understands it reads it.
_DIGIT_RULES: tuple[Rule, ...] = (
    read_telephone,
    read_numeric_date,
    read_day_date,
    read_time,
    read_fraction,
    read_version,
    read_measures,
    read_money,
    read_quantity,
    read_address,
    read_leftover,
)
_WHOLE_RULES: tuple[Rule, ...] = (
    read_telephone,
    read_day_date,
    read_time,
    read_money,
    read_quantity,
)
_MARK_RULES: tuple[Rule, ...] = (read_number_sign, read_money, read_leftover)
_LETTER_RULES: tuple[Rule, ...] = (
    read_month_date,
    read_money,
    read_roman,
    read_abbreviation,
    read_address,
    read_version,
    read_acronym,
    read_leftover,
)
_SYMBOL_RULES: tuple[Rule, ...] = (
    read_number_sign,
    read_address,
    read_telephone,
    read_money,
    read_fraction,
    read_quantity,
    read_abbreviation,
    read_leftover,
)
_BRITISH = frozenset({"gb", "uk", "ie", "au", "nz", "in", "za", "sg", "hk", "ng", "ke", "pk"})
_LONGEST_ABBREVIATION = 6
# Lower case, no full stop, and still not plain.
_RULED = frozenset(
    [
        *("eg", "aka", "vs", "ok", "wifi", "dr", "st", "mr", "mrs", "prof", "rev"),
        *("january", "february", "april", "august", "september", "october", "november"),
        *("december", "june", "july"),
    ]
)
_LEAST_SHOUTED = 3
_SHOUTED = 0.7


def style_of(region: str) -> Style:
    """How a region reads numbers and dates; the American way where none is named."""
    british = region in _BRITISH
    return Style(joined=british, day_first=british)


def read_english(text: str, region: str = "") -> list[Piece]:
    """The pieces of an English text.

    Args:
        text: A sentence or a few; what stands around a word tells how it is said.
        region: `gb` of `en-GB`; empty for none.
    """
    words = split_words(text)
    known = style_of(region)
    style = Style(known.joined, known.day_first, shouting=_is_shouting(words))
    return read_words(words, lambda among, place: _read(among, place, style))


def _is_shouting(words: Sequence[Word]) -> bool:
    letters = [word.core for word in words if len(word.core) > 1 and word.core.isalpha()]
    capitals = sum(map(str.isupper, letters))
    return capitals >= _LEAST_SHOUTED and capitals >= _SHOUTED * len(letters)


def _read(words: Words, place: int, style: Style) -> Reading | None:
    core = core_at(words, place)
    if core == FIXED:
        return None
    if not _is_plain(words[place]):
        for rule in _rules_of(core):
            reading = rule(words, place, style)
            if reading is not None:
                return reading
    emphasized = bool(core) and ("*" in words[place].raw or "_" in words[place].raw)
    return Reading(core, place + 1) if emphasized else None


def _is_plain(word: Word) -> bool:
    """Whether no rule is about such words: most of a text."""
    core = word.core
    return (
        core.isalpha()
        and core.islower()
        and len(core) > 1
        and (not word.tail.startswith(".") or len(core) > _LONGEST_ABBREVIATION)
        and core not in _RULED
    )


def _rules_of(core: str) -> Sequence[Rule]:
    if not core:
        return (read_leftover,)
    first = core[0]
    if first.isascii() and first.isdecimal():
        return _WHOLE_RULES if core.isascii() and core.isdecimal() else _DIGIT_RULES
    if len(core) <= 1 and not core.isalnum():
        return _MARK_RULES
    if first.isalpha():
        return _LETTER_RULES
    return _SYMBOL_RULES
