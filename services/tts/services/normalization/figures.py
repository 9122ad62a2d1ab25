"""Figures that count nothing: fractions, versions, addresses of networks, heights, telephones."""

import re

from services.tts.services.normalization.numerals import (
    ONES,
    below_hundred,
    cardinal,
    digits,
    fraction,
)
from services.tts.services.normalization.words import (
    LONGEST,
    Reading,
    Style,
    Words,
    core_at,
    follows,
    precedes,
)

_FRACTION = re.compile(r"([-\u2212]?)([0-9]{1,6})[/\u2044]([0-9]{1,6})")
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
    "⅘": (4, 5),
    "⅙": (1, 6),
    "⅚": (5, 6),
    "⅛": (1, 8),
    "⅜": (3, 8),
    "⅝": (5, 8),
    "⅞": (7, 8),
}
_MIXED = re.compile(rf"([0-9]{{0,6}})([{''.join(_VULGAR)}])")
_SAYINGS = {"24/7": "twenty-four seven", "9/11": "nine eleven", "50/50": "fifty fifty"}
_VERSION = re.compile(r"[vV]?[0-9]{1,9}(?:\.[0-9]{1,9}){2,7}")
_CODE = re.compile(r"[0-9]{1,8}(?:-[0-9]{1,8}){2,7}")
_HEIGHT = re.compile(r"([1-9][0-9]?)['’\u2032]([0-9]{1,2})(?:\"|”|″|''|’’)?")
_DIMENSIONS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,4})?(?:[x×][0-9]{1,6}(?:\.[0-9]{1,4})?){1,3}")
_LAST_INCH = 11

# In order of how sure they are. Groups are of three digits and more, so that no list of small
# numbers is taken for one.
_NATIONAL = re.compile(r"(?:\+?1[-. ]?)?(?:\([0-9]{3}\)[-. ]?|[0-9]{3}[-.])[0-9]{3}[-. ][0-9]{4}")
_COUNTRY = re.compile(r"\+[1-9][0-9]{0,3}(?:[-. ]?\(?[0-9]{1,12}\)?){0,5}")
_TRUNK = re.compile(r"\(?0[0-9]{2,5}\)?(?:[- ][0-9]{3,8}){1,3}")
_NATIONAL_GROUP = re.compile(r"\(?[0-9]{3}[-.)]")
_LOCAL = re.compile(r"[0-9]{3}-[0-9]{4}")
_PLAIN = re.compile(r"[0-9]{3,15}")
_CALLS = frozenset(
    ["call", "dial", "phone", "ring", "text", "telephone", "tel", "fax", "mobile", "cell", "sms"]
)
_SHORTEST, _LONGEST_CALL, _MOST_WORDS, _MOST_CHARACTERS = 3, 4, 6, 24
_LEAST_DIGITS, _MOST_DIGITS = 7, 15
_NANP = 10


def read_fraction(words: Words, place: int, style: Style) -> Reading | None:
    """`1/2`, `2½`, `24/7`."""
    core = core_at(words, place)
    if core in _SAYINGS:
        return Reading(_SAYINGS[core], place + 1)
    found = _FRACTION.fullmatch(core)
    if found is not None:
        words_of = fraction(int(found[2]), int(found[3]), joined=style.joined)
        return Reading(f"minus {words_of}" if found[1] else words_of, place + 1)
    found = _MIXED.fullmatch(core)
    if found is None:
        return None
    part = fraction(*_VULGAR[found[2]])
    if not found[1]:
        return Reading(part, place + 1)
    article = {"one half": "a half", "one quarter": "a quarter"}.get(part, part)
    return Reading(f"{cardinal(int(found[1]), joined=style.joined)} and {article}", place + 1)


def read_version(words: Words, place: int, _: Style) -> Reading | None:
    """`1.2.3`, `v2.0.1`, `192.168.0.1`, `978-3-16-148410-0`."""
    core = core_at(words, place)
    if _CODE.fullmatch(core):
        return Reading(", ".join(digits(group) for group in core.split("-")), place + 1)
    if _VERSION.fullmatch(core) is None:
        return None
    lead = "version " if core[0] in "vV" else ""
    parts = [
        digits(part) if part[0] == "0" and len(part) > 1 else cardinal(int(part))
        for part in core.lstrip("vV").split(".")
    ]
    point = " dot " if len(parts) == 4 and not lead else " point "  # noqa: PLR2004 - an address
    return Reading(lead + point.join(parts), place + 1)


def read_measures(words: Words, place: int, style: Style) -> Reading | None:
    """`5'10"`, `1920x1080`."""
    word = words[place]
    whole = word.core + word.tail
    cut = len(word.core)
    # The marks of inches and feet look like closing quotes.
    found = _HEIGHT.match(whole)
    if found is not None and found.end() >= cut and not word.lead:
        return _height(found, whole, place)
    if len(word.core) <= LONGEST and _DIMENSIONS.fullmatch(word.core):
        sides = re.split("[x×]", word.core)
        spoken = " by ".join(filter(None, (_decimal(side, style) for side in sides)))
        return Reading(spoken, place + 1)
    return None


def _decimal(text: str, style: Style) -> str:
    whole, point, tail = text.partition(".")
    fractional = f" point {digits(tail)}" if point else ""
    return cardinal(int(whole), joined=style.joined) + fractional


def _height(found: re.Match[str], whole: str, place: int) -> Reading | None:
    feet, inches = int(found[1]), int(found[2])
    if inches > _LAST_INCH:
        return None
    spoken = f"{below_hundred(feet)} {'foot' if feet == 1 else 'feet'}"
    spoken = f"{spoken} {below_hundred(inches)} inch{'' if inches == 1 else 'es'}"
    return Reading(spoken + whole[found.end() :], place + 1, shut=True)


def read_telephone(words: Words, place: int, _: Style) -> Reading | None:
    """`+1 (555) 123-4567`, `555-123-4567`, `020 7946 0958`, `call 911`."""
    first = words[place]
    if first.core[:1] not in "+0123456789" or len(first.raw) > _MOST_CHARACTERS:
        return None
    if len(first.raw) < _SHORTEST and not (
        first.raw[0] == "+" or (first.raw == "1" and _NATIONAL_GROUP.match(_raw(words, place + 1)))
    ):
        return None  # Most numbers of a text.
    called = _is_called(words, place)
    joined, found = "", None
    for end in range(place, min(place + _MOST_WORDS, len(words))):
        word = words[end]
        if end > place and (not word.spaced or word.core[:1] not in "0123456789"):
            break
        part = word.raw.rstrip(".,;:!?\"'”’")
        joined = f"{joined} {part}" if joined else part.lstrip("\"'“\u2018")
        if len(joined) > _MOST_CHARACTERS:
            break
        if _is_telephone(joined, called=called):
            rest = word.raw[len(part) :]
            found = Reading(
                spell_telephone(joined) + rest, end + 1, open="(" in first.lead, shut=True
            )
        if part != word.raw:
            break
    return found


def _raw(words: Words, place: int) -> str:
    return words[place].raw if place < len(words) else ""


def _is_called(words: Words, place: int) -> bool:
    before = (precedes(words, place).lower(), core_at(words, place - 2).lower())
    named = before[0] in {"number", "no", "at", "is", "on"} and before[1] in {
        *_CALLS,
        "phone",
        "me",
    }
    tagged = core_at(words, place - 1).lower() in {"tel", "phone", "fax", "mobile", "telephone"}
    return before[0] in _CALLS or named or tagged


def _is_telephone(text: str, *, called: bool) -> bool:
    count = sum(map(str.isdecimal, text))
    if called and _PLAIN.fullmatch(text) and (count < _LONGEST_CALL or count >= _LEAST_DIGITS):
        return True
    if not _LEAST_DIGITS <= count <= _MOST_DIGITS:
        return False
    if _LOCAL.fullmatch(text):
        first, second = text.split("-")
        return called or first == "555" or int(first) > int(second) or int(second) % 100 != 0
    return any(form.fullmatch(text) for form in (_NATIONAL, _COUNTRY, _TRUNK))


def spell_telephone(text: str) -> str:
    """Digit by digit, with a pause between the groups."""
    groups = re.findall("[0-9]+", text)
    lead = "plus " if text.lstrip("(").startswith("+") else ""
    if len(groups) == 1 and len(groups[0]) >= _LEAST_DIGITS:
        groups = _grouped(groups[0], national=not lead)
    return lead + ", ".join(_group(group) for group in groups)


def _grouped(text: str, *, national: bool) -> list[str]:
    """Threes and fours of a number that was written without a gap."""
    if national and len(text) == _NANP:
        return [text[:3], text[3:6], text[6:]]
    head = len(text) % 3 or 3
    return [text[:head], *(text[start : start + 3] for start in range(head, len(text), 3))]


def _group(group: str) -> str:
    if len(group) == 3 and group.endswith("00") and group[0] != "0":  # noqa: PLR2004 - 1-800
        return f"{ONES[int(group[0])]} hundred"
    return digits(group)


def read_number_sign(words: Words, place: int, style: Style) -> Reading | None:
    """`#5`, `No. 5`, `№ 5`."""
    core = core_at(words, place)
    if core[:1] in {"#", "№"} and core[1:].isascii() and core[1:].isdecimal():
        if len(core) > _MOST_DIGITS:
            return None
        return Reading(f"number {cardinal(int(core[1:]), joined=style.joined)}", place + 1)
    if core == "№" and follows(words, place)[:1].isdecimal():
        return Reading("number", place + 1)
    return None
