"""Dates of birth: dates with words such as "born" before them."""

import re
from collections.abc import Iterator, Sequence

from shared.text.nearby import Nearby
from shared.text.ner.patterns import dates
from shared.text.pii.model import Finding, PiiKind
from shared.text.runs import Run
from shared.text.view import WrittenView

_CONTEXT = re.compile(
    r"\b(?:born(?: on| in)?|date of birth|birth ?dates?|birthday|d\.?o\.?b\.?|births?)(?!\w)",
    re.IGNORECASE,
)
_REACH = 40
_FEWEST, _MOST = 4, 8


def births(text: str, view: WrittenView, runs: Sequence[Run]) -> Iterator[Finding]:
    """Dates of birth.

    Args:
        text: Folded.
        view: Of that text: spoken dates are found there.
        runs: Of that text: "zero five twelve nineteen eighty four".
    """
    nearby = Nearby(_CONTEXT, text)
    if not nearby.ends:
        return
    for start, end in dates(view.text):
        first, last = view.span(start, end)
        if nearby.before(first, _REACH) is not None and any(map(str.isdigit, view.text[start:end])):
            yield _finding(text, first, last, 0.92)
    for run in runs:
        if _FEWEST <= run.length <= _MOST and nearby.before(run.start, _REACH) is not None:
            yield _finding(text, run.start, run.groups[-1].end, 0.75)


def _finding(text: str, start: int, end: int, confidence: float) -> Finding:
    said = " ".join(text[start:end].lower().split())
    return Finding(PiiKind.DATE_OF_BIRTH, start, end, confidence, said)
