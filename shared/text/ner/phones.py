"""Telephone numbers, checked by the rules of each country's numbering plan."""

import re
from collections.abc import Iterator, Sequence

import phonenumbers

from shared.text.nearby import Nearby
from shared.text.ner.model import Entity, EntityKind
from shared.text.runs import Run

REGIONS = ("US", "GB", "IN")
"""Whose national numbers are known without a country code."""
_FEWEST, _MOST = 7, 15
"""Digits of a telephone number (E.164 allows 15)."""
_NATIONAL = 10
_CHECKS = 2_000
"""Numbers of one text that are looked up; a text of nothing but digits would take seconds."""
# What of those regions' numbers all have in common: most digits need no further look.
_PLAUSIBLE = re.compile(r"1?[2-9]\d\d[2-9]\d{6}|(?:0|91)?[6-9]\d{9}|0[1-9]\d{8,9}")
_LINKS = re.compile(r"|[ ]?[-./ ][ ]?|\)[ .-]?|[ -]?\(")
_CONTEXT = re.compile(
    r"\b(?:tele)?phones?\b|\b(?:cell|mobile|tel|fax|whatsapp|landline|contact|dial|call|calling"
    r"|callback|text me|ring|reach)\b|\b(?:my|our|his|her|their|this) number\b",
    re.IGNORECASE,
)
# What these number is no telephone, though its digits may be like one's.
_OTHERS = re.compile(
    r"\b(?:order|invoice|tracking|confirmation|ticket|reference|case|serial|model|account|policy"
    r"|meeting|flight|room|part|version|booking|item|product|transaction|claim)\b",
    re.IGNORECASE,
)
_OTHERS_REACH = 25
_CONTEXT_REACH = 45


def phones(text: str, runs: Sequence[Run]) -> Iterator[Entity]:
    """Telephone numbers among the runs of digits of a folded text."""
    nearby, others = Nearby(_CONTEXT, text), Nearby(_OTHERS, text)
    budget = _CHECKS
    for run in runs:
        if run.length < _FEWEST:
            continue
        known = nearby.before(run.start, _CONTEXT_REACH) is not None
        other = not known and others.before(run.start, _OTHERS_REACH) is not None
        done = 0
        for first, end in run.windows(_FEWEST, _MOST):
            if first < done or not _linked(run, first, end) or _is_attached(text, run, first):
                continue
            international = run.plus >= 0 and first == 0
            confidence = 0.0
            if _worth_a_look(run, first, end, international=international):
                budget -= 1
                confidence = _confidence(
                    run, first, end, known=known, checked=budget > 0, international=international
                )
            elif known and _is_local(run, first, end):
                confidence = 0.6
            if confidence and not (other and not international and end - first == 1):
                start = run.plus if international else run.groups[first].start
                if text[start - 1 : start] == "(":
                    start -= 1
                yield Entity(EntityKind.PHONE, start, run.groups[end - 1].end, confidence)
                done = end


def _linked(run: Run, first: int, end: int) -> bool:
    """Whether the groups are separated as those of one number are."""
    groups = run.groups[first:end]
    if len(groups) > 6 and not run.spoken:  # noqa: PLR2004 - "1 2 3 4 5 6 7 8 9 10" is none
        return False
    return all(group.spoken or _LINKS.fullmatch(group.gap) for group in groups[1:])


def _is_attached(text: str, run: Run, first: int) -> bool:
    """Whether letters stand right before it, as in a code."""
    start = run.groups[first].start
    return start > 0 and not run.groups[first].spoken and text[start - 1].isalpha()


def _is_crowded(run: Run, first: int, end: int) -> bool:
    """Whether it is a part of a longer number, of a card for one."""
    long = not run.spoken and run.length > _MOST
    return long and end - first > 1 and not _is_grouped(run, first, end)


def _worth_a_look(run: Run, first: int, end: int, *, international: bool) -> bool:
    if _is_crowded(run, first, end):
        return False
    digits = run.digits(first, end)
    return international or _PLAUSIBLE.fullmatch(digits) is not None or _is_grouped(run, first, end)


def _is_grouped(run: Run, first: int, end: int) -> bool:
    """Whether it is written as North American numbers are, like 555-123-4567."""
    groups = run.groups[first:end]
    lengths = [len(group.digits) for group in groups][-3:]
    return (
        lengths == [3, 3, 4]
        and not any(group.spoken for group in groups)
        and (len(groups) == 3 or (len(groups) == 4 and groups[0].digits == "1"))  # noqa: PLR2004
    )


def _is_local(run: Run, first: int, end: int) -> bool:
    """Whether it may be a number without its area code."""
    groups = run.groups[first:end]
    if sum(len(group.digits) for group in groups) != _FEWEST or (first, end) != (
        0,
        len(run.groups),
    ):
        return False
    written = [len(group.digits) for group in groups] in ([3, 4], [7])
    return written or all(group.spoken for group in groups)


def _confidence(
    run: Run, first: int, end: int, *, known: bool, checked: bool, international: bool
) -> float:
    digits = run.digits(first, end)
    if international:
        unsure = (0.8 if known else 0.6) if len(digits) >= _NATIONAL else 0.0
        return 0.97 if checked and _valid(f"+{digits}", None) else unsure
    if checked and any(_valid(digits, region) for region in REGIONS):
        apart = run.spoken or end - first > 1
        return 0.95 if known else 0.9 if apart else 0.55
    if _is_grouped(run, first, end):
        return 0.75
    return 0.6 if known else 0.0


def _valid(digits: str, region: str | None) -> bool:
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)
