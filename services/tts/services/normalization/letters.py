"""Words that are not said as they are written: abbreviations, acronyms, roman numerals."""

import re

from services.tts.services.normalization.acronyms import (
    SHORT_WORDS,
    SPELLED_WORDS,
    WORDS_IN_CAPITALS,
)
from services.tts.services.normalization.dates import MONTHS
from services.tts.services.normalization.lexemes import (
    ANYWHERE,
    BARE_TITLES,
    BEFORE_SAINTS,
    CAPITAL_ONLY,
    DAYS,
    DOTTED,
    NOUNS_BEFORE_ROMAN,
    NUMBERED,
    RULERS,
    SAINTS,
    STREET_ENDERS,
    STREETS,
    TITLES,
)
from services.tts.services.normalization.numerals import cardinal, ordinal
from services.tts.services.normalization.words import (
    Reading,
    Style,
    Words,
    core_at,
    is_name,
    precedes,
    spell,
)

_LETTERS = re.compile(r"(?:[A-Za-z]\.){1,7}[A-Za-z]")
_ACRONYM = re.compile(r"([A-Z]{2,6})((?:['’]?s)?)")
_ROMAN = re.compile(r"(?=[MDCLXVI])M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_WORD = re.compile(r"([MDCLXVI]{1,12})(['’]s)?")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VOWELS = frozenset("AEIOUY")
_SHORT = 3
_TITLES_ALONE = frozenset({"mr", "mrs", "ms"})
_WORDS_TOO = frozenset({"min", "max", "temp", "est", "ext", "no", "art"})
_DAY_RANGE = re.compile(r"([A-Z][a-z]{2,4})[-–]([A-Z][a-z]{2,4})")


def read_abbreviation(words: Words, place: int, _: Style) -> Reading | None:
    """`Dr. Smith`, `Main St.`, `e.g.`, `No. 5`, `etc.`, `U.S.`."""
    word = words[place]
    core, dotted = word.core, word.tail.startswith(".")
    if core in ANYWHERE:
        return Reading(ANYWHERE[core], place + 1, dotted=True)
    lowered = core.lower()
    if lowered in TITLES or lowered in STREETS:
        found = _title_or_street(words, place, lowered, dotted=dotted)
        if found is not None:
            return found
    if _LETTERS.fullmatch(core):
        return Reading(spell(core.replace(".", "")), place + 1, dotted=True)
    spoken = _dotted(words, place, core, lowered) if dotted else None
    return Reading(spoken, place + 1, dotted=True) if spoken else _day(words, place, core)


def _dotted(words: Words, place: int, core: str, lowered: str) -> str | None:
    """What an abbreviation before its full stop stands for."""
    last = place + 1 == len(words)
    if lowered in NUMBERED and _number_follows(words, place):
        return _cased(NUMBERED[lowered], core)
    known = lowered in DOTTED and not (lowered in CAPITAL_ONLY and core.islower())
    # "The maximum is not the min." ends a sentence.
    if known and not (last and lowered in _WORDS_TOO):
        return _cased(DOTTED[lowered], core)
    return core if lowered == "al" and core_at(words, place - 1).lower() == "et" else None


def _cased(words: str, written: str) -> str:
    """A capital where the abbreviation has one."""
    return words[0].upper() + words[1:] if written[0].isupper() else words


def _number_follows(words: Words, place: int) -> bool:
    after = core_at(words, place + 1)
    return after[:1].isdecimal() or (bool(after) and _ROMAN.fullmatch(after) is not None)


def _title_or_street(words: Words, place: int, lowered: str, *, dotted: bool) -> Reading | None:
    if not dotted and lowered not in BARE_TITLES | {"st", "dr"}:
        return None
    end = place + 1
    before = precedes(words, place)
    after = "" if words[place].tail not in {"", "."} else core_at(words, end)
    named_after = is_name(after) and after not in STREET_ENDERS
    if lowered in STREETS and _is_street(before, after, lowered, named_after=named_after):
        # The full stop ends the sentence too, where the next one begins.
        return Reading(STREETS[lowered], end, dotted=after not in STREET_ENDERS)
    if (
        lowered in TITLES
        and words[place].core[0].isupper()
        and (named_after or lowered in _TITLES_ALONE)
    ):
        return Reading(TITLES[lowered], end, dotted=True)
    return None


def _is_street(before: str, after: str, lowered: str, *, named_after: bool) -> bool:
    if not before or before.lower() in BEFORE_SAINTS:
        return False
    named = is_name(before) or before[-2:] in {"st", "nd", "rd", "th"}
    if lowered == "st" and after.lower() in SAINTS:
        return False
    if lowered == "dr" and named_after:
        return before[0].isdecimal()
    return named


def _day(words: Words, place: int, core: str) -> Reading | None:
    """`Mon, Jan 5`, `Mon-Fri`."""
    found = _DAY_RANGE.fullmatch(core)
    if found is not None and found[1] in DAYS and found[2] in DAYS:
        return Reading(f"{DAYS[found[1]]} to {DAYS[found[2]]}", place + 1)
    dated = core in DAYS and words[place].tail in {"", ","}
    after = core_at(words, place + 1)
    if dated and (after[:1].isdecimal() or after in MONTHS):
        return Reading(DAYS[core], place + 1)
    return None


def read_roman(words: Words, place: int, _: Style) -> Reading | None:
    """`Henry VIII`, `World War II`, `Chapter IV`; only where nothing else can be meant."""
    found = _ROMAN_WORD.fullmatch(core_at(words, place))
    if found is None or not _ROMAN.fullmatch(found[1]):
        return None
    before = precedes(words, place)
    ending = "'s" if found[2] else ""
    if before.lower() in NOUNS_BEFORE_ROMAN:
        return Reading(cardinal(roman_value(found[1])) + ending, place + 1)
    ruler = before.lower() in RULERS and is_name(before)
    # "I" alone is a pronoun; "Charles I" is told from it by what follows.
    if not ruler or (found[1] == "I" and not ending and not _ends_or_of(words, place)):
        return None
    return Reading(f"the {ordinal(roman_value(found[1]))}{ending}", place + 1)


def _ends_or_of(words: Words, place: int) -> bool:
    return bool(words[place].tail) or core_at(words, place + 1) in {"of", "was", ""}


def roman_value(text: str) -> int:
    """14 of `XIV`."""
    total = 0
    for one, following in zip(text, [*text[1:], ""], strict=True):
        value = _VALUES[one]
        total += -value if _VALUES.get(following, 0) > value else value
    return total


def read_acronym(words: Words, place: int, style: Style) -> Reading | None:
    """`IBM`, `CEOs`, `USA's`."""
    spoken = acronym(core_at(words, place), shouting=style.shouting)
    return Reading(spoken, place + 1) if spoken else None


def acronym(text: str, *, shouting: bool) -> str | None:
    """The letters one by one, if that is how it is said.

    Args:
        text: A word.
        shouting: All words around it are in capitals: only what cannot be said is spelled.
    """
    found = _ACRONYM.fullmatch(text)
    if found is None:
        return None
    letters, ending = found[1], "'s" if found[2] else ""
    if letters in WORDS_IN_CAPITALS:
        return None
    sayable = not _VOWELS.isdisjoint(letters)
    if letters in SPELLED_WORDS or not sayable:
        return spell(letters) + ending
    if shouting or len(letters) > _SHORT or letters in SHORT_WORDS:
        return None
    return spell(letters) + ending
