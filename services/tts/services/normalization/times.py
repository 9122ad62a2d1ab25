"""Times of day."""

import re

from services.tts.services.normalization.numerals import ONES, below_hundred, cardinal
from services.tts.services.normalization.words import Reading, Style, Words, core_at

_HALF = r"(?:[aApP]\.?[mM])"
_CLOCK = rf"([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?({_HALF})?"
_TIME = re.compile(_CLOCK)
_RANGE = re.compile(
    rf"([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?({_HALF})?[-–]"
    rf"([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?({_HALF})?"
)
_HOUR = re.compile(rf"([01]?[0-9]|2[0-4])({_HALF})")
_BARE_HOUR = re.compile(r"0?[1-9]|1[0-2]")
_MERIDIEM = re.compile(_HALF)
_RATIO = re.compile(r"([0-9]{1,4}):([0-9]{1,4})")
_NOON = 12


def _half(text: str | None) -> str:
    """`P.M.` of `pm`."""
    return f"{text[0].upper()}.M." if text else ""


def spell_clock(hour: int, minute: int, half: str = "", second: int | None = None) -> str:
    """`three thirty P.M.`, `three o'clock`, `fifteen hundred`, `three oh five`."""
    if minute == 0 and second is None:
        if half:
            spoken = below_hundred(hour)
        elif hour == 0:
            return "midnight"
        else:
            hundred = "hundred" if hour > _NOON else "o'clock"
            return f"{below_hundred(hour)} {hundred}"
    else:
        low = f"oh {ONES[minute]}" if minute < 10 else below_hundred(minute)  # noqa: PLR2004
        spoken = f"{below_hundred(hour)} {low}"
    if second is not None:
        spoken = f"{spoken} and {below_hundred(second)} second{'' if second == 1 else 's'}"
    return f"{spoken} {half}".strip()


def read_time(words: Words, place: int, style: Style) -> Reading | None:
    """`3:30`, `3:30 pm`, `3pm`, `3 p.m.`, `15:30:10`, `9am-5pm`, `16:9`."""
    core = core_at(words, place)
    if core.isdecimal():
        return _bare_hour(words, place, core)
    found = _TIME.fullmatch(core)
    if found is not None:
        half, end = _meridiem(words, place, found[4])
        second = int(found[3]) if found[3] else None
        return Reading(spell_clock(int(found[1]), int(found[2]), half, second), end, bool(half))
    found = _HOUR.fullmatch(core)
    if found is not None:
        return Reading(spell_clock(int(found[1]), 0, _half(found[2])), place + 1, dotted=True)
    return _range(words, place, core) or _ratio(core, place, style)


def _bare_hour(words: Words, place: int, core: str) -> Reading | None:
    half, end = _meridiem(words, place, None)
    if not half or not _BARE_HOUR.fullmatch(core):
        return None
    return Reading(spell_clock(int(core), 0, half), end, dotted=True)


def _range(words: Words, place: int, core: str) -> Reading | None:
    """Two times; one of them at least must look like a time."""
    found = _RANGE.fullmatch(core)
    if found is None:
        return None
    half, end = _meridiem(words, place, found[6])
    sure = found[2] or found[5] or found[3] or half
    if not sure or any(int(hour) > _NOON and not found[5] for hour in (found[1], found[4])):
        return None
    first = _one_of_range(found[1], found[2], _half(found[3]), other=half)
    last = _one_of_range(found[4], found[5], half, other=_half(found[3]))
    return Reading(f"{first} to {last}", end, dotted=bool(half))


def _one_of_range(hour: str, minute: str | None, half: str, *, other: str) -> str:
    if minute is None and not half and other:
        return below_hundred(int(hour))
    return spell_clock(int(hour), int(minute or 0), half)


def _meridiem(words: Words, place: int, written: str | None) -> tuple[str, int]:
    """The half of the day, with the time or behind it, and the place after it."""
    if written:
        return _half(written), place + 1
    following = core_at(words, place + 1)
    if not words[place].tail and _MERIDIEM.fullmatch(following):
        # "at 3 am I": `am` is a verb only without a number before it.
        return _half(following), place + 2
    return "", place + 1


def _ratio(core: str, place: int, style: Style) -> Reading | None:
    found = _RATIO.fullmatch(core)
    if found is None:
        return None
    first, second = (cardinal(int(one), joined=style.joined) for one in found.groups())
    return Reading(f"{first} to {second}", place + 1)
