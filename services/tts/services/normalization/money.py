"""Amounts of money: the sign or the code before or behind them, cents, and magnitudes."""

import re
from typing import NamedTuple

from services.tts.services.normalization.numerals import NUMBER, spell_number, value_of
from services.tts.services.normalization.quantities import parse_quantity, per_words
from services.tts.services.normalization.units import (
    CODES,
    SCALE_WORDS,
    SCALES,
    SIGNS,
    Currency,
)
from services.tts.services.normalization.words import (
    LONGEST,
    Reading,
    Style,
    Words,
    core_at,
    follows,
)

_SIGN = "|".join(sorted(map(re.escape, SIGNS), key=len, reverse=True))
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
_MINUS = "\u2212"
_BEFORE = re.compile(
    rf"(?P<minus>[-{_MINUS}+~]?)(?P<sign>{_SIGN})\.?(?P<first>{NUMBER})(?P<scale1>{_SCALE})?"
    rf"(?:[-–](?:{_SIGN})?(?P<second>{NUMBER}))?(?P<scale>{_SCALE})?(?P<per>/[A-Za-z]{{1,16}})?\+?"
)
_BEHIND = re.compile(rf"(?P<first>{NUMBER})(?:[-–](?P<second>{NUMBER}))?(?P<sign>{_SIGN})")
_SIGN_ALONE = {"-": "minus ", _MINUS: "minus ", "+": "plus ", "~": "about ", "": ""}
_CENTS = 2


class Amount(NamedTuple):
    """Money as written; `second` where it is a range."""

    lead: str
    currency: Currency
    first: str
    second: str = ""
    scale: str = ""
    per: str = ""


def read_money(words: Words, place: int, style: Style) -> Reading | None:
    """`$5`, `-$3.50`, `$3.5 million`, `€5bn`, `£5-10`, `20 €`, `USD 20`, `20 USD`."""
    core = core_at(words, place)
    if len(core) > LONGEST or (core.isalpha() and core not in CODES):
        return None
    if core.isdecimal():
        return _sign_behind(words, place, core, style)
    return _sign_before(words, place, core, style) or _sign_behind(words, place, core, style)


def _sign_before(words: Words, place: int, core: str, style: Style) -> Reading | None:
    found = _BEFORE.fullmatch(core)
    if found is not None:
        scale = SCALES.get(found["scale"] or found["scale1"] or "", "")
        amount = Amount(
            _SIGN_ALONE[found["minus"]],
            SIGNS[found["sign"]],
            found["first"],
            found["second"] or "",
            scale,
            (found["per"] or "")[1:],
        )
        return _scaled(words, place, amount, style)
    if core not in CODES and core not in SIGNS:
        return None
    following = words[place + 1] if place + 1 < len(words) else None
    if following is None or following.lead or words[place].tail not in {"", "."}:
        return None
    quantity = parse_quantity(following.core)
    if quantity is None or quantity.sign or (quantity.rest and quantity.rest not in SCALES):
        return None
    currency = CODES.get(core) or SIGNS[core]
    scale = SCALES.get(quantity.rest, "")
    amount = Amount("", currency, quantity.first, quantity.second, scale)
    return _scaled(words, place + 1, amount, style)


def _sign_behind(words: Words, place: int, core: str, style: Style) -> Reading | None:
    found = _BEHIND.fullmatch(core)
    if found is not None:
        amount = Amount("", SIGNS[found["sign"]], found["first"], found["second"] or "")
        return _reading(amount, place + 1, style)
    following = follows(words, place)
    end = place + 2
    if following not in SCALE_WORDS and following not in CODES and following not in SIGNS:
        return None
    quantity = parse_quantity(core)
    if quantity is None or quantity.rest:
        return None
    scale = ""
    if following in SCALE_WORDS:
        scale, following = following, follows(words, place + 1)
        end += 1
    currency = CODES.get(following) or SIGNS.get(following)
    if currency is None or not _ends(words, end):
        return None
    lead = _SIGN_ALONE.get(quantity.sign)
    if lead is None:
        return None
    return _reading(Amount(lead, currency, quantity.first, quantity.second, scale), end, style)


def _ends(words: Words, place: int) -> bool:
    """Whether the currency does not belong to a number behind it."""
    return parse_quantity(core_at(words, place)) is None or bool(words[place - 1].tail)


def _scaled(words: Words, place: int, amount: Amount, style: Style) -> Reading | None:
    following = follows(words, place)
    if not amount.scale and not amount.per and following in SCALE_WORDS:
        return _reading(amount._replace(scale=following), place + 2, style)
    if not amount.per and following.startswith("/"):
        return _reading(amount._replace(per=following[1:]), place + 2, style)
    return _reading(amount, place + 1, style)


def _reading(amount: Amount, end: int, style: Style) -> Reading | None:
    spoken = spell_money(amount, joined=style.joined)
    if spoken is None:
        return None
    if amount.per:
        ratio = per_words(amount.per)
        if ratio is None:
            return None
        spoken = f"{spoken} {ratio}"
    return Reading(amount.lead + spoken, end)


def spell_money(amount: Amount, *, joined: bool) -> str | None:
    """`three dollars and fifty cents`, `three point five million dollars`."""
    first = spell_number(amount.first, joined=joined)
    if first is None:
        return None
    name = amount.currency.major
    if amount.second:
        second = spell_number(amount.second, joined=joined)
        parts = [first, "to", second or "", amount.scale, name.many]
        return None if second is None else " ".join(filter(None, parts))
    if amount.scale:
        return f"{first} {amount.scale} {name.many}"
    whole, _, cents = amount.first.partition(".")
    if len(cents) == _CENTS and amount.currency.minor:
        return _with_cents(amount.currency, whole, int(cents), joined=joined)
    return f"{first} {name.of(single=amount.first == '1')}"


def _with_cents(currency: Currency, whole: str, cents: int, *, joined: bool) -> str | None:
    """A price to the hundredth; what is nought is not said."""
    value = value_of(whole) if whole else 0
    parts = []
    if value != 0 or not cents:  # None where it is too large to be counted.
        count = spell_number(whole, joined=joined) if whole else "zero"
        if count is None:
            return None
        parts.append(f"{count} {currency.major.of(single=value == 1)}")
    if cents and currency.minor:
        minor = currency.minor.of(single=cents == 1)
        parts.append(f"{spell_number(str(cents))} {minor}")
    return " and ".join(parts)
