"""All personal data of a text.

Shapes and check digits know no language; the words around numbers, and names, are English.
"""

from bisect import bisect_left
from collections.abc import Iterable

from shared.text.folding import fold
from shared.text.ner.find import names
from shared.text.ner.model import Entity, EntityKind, apart
from shared.text.ner.persons import repeated_names
from shared.text.ner.phones import phones
from shared.text.pii.addresses import addresses
from shared.text.pii.again import repetitions
from shared.text.pii.births import births
from shared.text.pii.codes import ibans, internet_addresses, pans
from shared.text.pii.mail import spoken_mail, written_mail
from shared.text.pii.model import Finding, PiiKind
from shared.text.pii.numbers import (
    aadhaar_numbers,
    cards,
    codes_by_context,
    numbers_by_context,
    social_security_numbers,
)
from shared.text.pii.secrets import secrets
from shared.text.runs import Run, find_runs
from shared.text.tokens import Tokens, tokenize
from shared.text.view import written_view

LANGUAGES = frozenset({"en"})
"""Languages whose names and contexts are known."""
LEAST = 0.5
"""Less sure findings are left out unless they are asked for."""
_RANKS = {kind: rank for rank, kind in enumerate(PiiKind)}


def find_pii(text: str, *, least: float = LEAST) -> list[Finding]:
    """The personal data of a text in order; none overlaps another. Linear in its length.

    Args:
        text: Any. Spans are of it as given, in characters (code points).
        least: Less sure findings are left out.
    """
    folded = fold(text)
    seen, tokens = folded.text, tokenize(folded.text)
    runs = find_runs(seen, tokens)
    found = [one for one in _candidates(seen, tokens, runs) if one.confidence >= least]
    found.sort(key=lambda one: _RANKS[one.kind])
    kept = apart(found, length=len(seen))
    kept = apart(repetitions(tokens, kept), kept, length=len(seen))
    return [
        Finding(one.kind, *folded.span(one.start, one.end), one.confidence, one.value)
        for one in kept
    ]


def _candidates(text: str, tokens: Tokens, runs: list[Run]) -> Iterable[Finding]:
    yield from secrets(text)
    yield from written_mail(text)
    yield from spoken_mail(text, tokens)
    yield from cards(text, runs)
    yield from ibans(text)
    yield from social_security_numbers(text, runs)
    yield from aadhaar_numbers(text, runs)
    yield from pans(text)
    yield from births(text, written_view(text), runs)
    yield from addresses(text, tokens)
    yield from _phones(text, runs)
    yield from numbers_by_context(text, runs)
    yield from codes_by_context(text)
    yield from internet_addresses(text)
    yield from _people(text, tokens)


def _phones(text: str, runs: list[Run]) -> Iterable[Finding]:
    groups = [group for run in runs for group in run.groups]
    starts = [group.start for group in groups]
    for one in phones(text, runs):
        first, end = bisect_left(starts, one.start), bisect_left(starts, one.end)
        digits = "".join(group.digits for group in groups[first:end])
        yield Finding(PiiKind.PHONE, one.start, one.end, one.confidence, digits)


def _people(text: str, tokens: Tokens) -> Iterable[Finding]:
    named = sorted(names(tokens), key=lambda one: one.kind is not EntityKind.PERSON)
    entities = apart((one for one in named if one.confidence >= LEAST), length=len(text))
    people = [one for one in entities if one.kind is EntityKind.PERSON]
    taken = {one.start for one in entities}
    again = (one for one in repeated_names(tokens, people, text) if one.start not in taken)
    for one in (*people, *again):
        yield _person(text, one)


def _person(text: str, one: Entity) -> Finding:
    said = " ".join(text[one.start : one.end].lower().split())
    return Finding(PiiKind.PERSON, one.start, one.end, one.confidence, said)
