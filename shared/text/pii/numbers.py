"""Cards, national ids and accounts among the runs of digits of a text."""

import re
from collections.abc import Iterator, Sequence

from shared.text.nearby import Nearby
from shared.text.pii.checksums import luhn, verhoeff
from shared.text.pii.model import Finding, PiiKind
from shared.text.runs import Run

_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d|60\d\d|81\d\d|82\d\d|508\d|5018|5020|5038|6304|6759|676\d)"
    r"\d{12}(?:\d{3})?"
)
_CARD_FEWEST, _CARD_MOST = 13, 19
_AADHAAR_DIGITS, _SSN_DIGITS = 12, 9
_NO_AREA = frozenset({"000", "666"})
_REACH = 40
_CARD_CONTEXT = re.compile(
    r"\b(?:cards?|credit|debit|visa|master ?card|amex|american express|discover|rupay|maestro)\b",
    re.IGNORECASE,
)
_SSN_CONTEXT = re.compile(r"\b(?:social security|social|s\.?s\.?n)\b", re.IGNORECASE)
_AADHAAR_CONTEXT = re.compile(r"\b(?:aadha?ar|adhar|uid(?:ai)?)\b", re.IGNORECASE)
_NUMBERED = r"(?:\s?(?:numbers?|no|num|nr|code|id|#))?"
_ACCOUNT_CONTEXT = re.compile(
    rf"\b(?:accounts?|acct|a/c|routing|sort code|ifsc|swift|iban|savings|checking){_NUMBERED}\b",
    re.IGNORECASE,
)
_ID_CONTEXT = re.compile(
    r"\b(?:(?:policy|member(?:ship)?|customer|patient|employee|passport|licen[cs]e|insurance"
    r"|taxpayer|tax|voter|national|student|registration|driver'?s licen[cs]e|medicare|loyalty"
    r"|frequent flyer)\s?(?:numbers?|no|num|nr|code|id|identification)"
    r"|passport|mrn|nino|national insurance|driver'?s licen[cs]e)\b",
    re.IGNORECASE,
)
_CODE_CONTEXT = re.compile(
    r"\b(?:cvv2?|cvc2?|cvn|(?:card )?security code|verification value)\b", re.IGNORECASE
)
_PIN_CONTEXT = re.compile(
    r"\b(?:pin(?: number)?(?!\s?code)|pass ?code|otp|one[ -]time (?:code|password|pin|passcode)"
    r"|verification code|access code|security pin|login code)\b",
    re.IGNORECASE,
)
_ACCOUNT_DIGITS, _ID_DIGITS, _PIN_DIGITS, _CODE_DIGITS = (5, 20), (5, 20), (4, 8), (3, 4)


def cards(text: str, runs: Sequence[Run]) -> Iterator[Finding]:
    """Payment cards: a known issuer and a right check digit, or "card" before the number."""
    nearby = Nearby(_CARD_CONTEXT, text)
    for run in runs:
        known = nearby.before(run.start, _REACH) is not None
        done = 0
        for first, end in run.windows(_CARD_FEWEST, _CARD_MOST):
            if first < done:
                continue
            digits = run.digits(first, end)
            if _CARD.fullmatch(digits) and luhn(digits):
                yield _finding(PiiKind.CREDIT_CARD, run, first, end, 0.98 if known else 0.93)
                done = end
            elif known and (first, end) == (0, len(run.groups)):
                # A digit may have been misheard: better hidden than shown.
                yield _finding(PiiKind.CREDIT_CARD, run, first, end, 0.7)
                done = end


def _finding(kind: PiiKind, run: Run, first: int, end: int, confidence: float) -> Finding:
    start, last = run.groups[first].start, run.groups[end - 1].end
    return Finding(kind, start, last, confidence, run.digits(first, end))


def aadhaar_numbers(text: str, runs: Sequence[Run]) -> Iterator[Finding]:
    """Indian Aadhaar numbers: twelve digits with a Verhoeff check digit."""
    nearby = Nearby(_AADHAAR_CONTEXT, text)
    for run in runs:
        known = nearby.before(run.start, _REACH) is not None
        for first, end in run.windows(_AADHAAR_DIGITS, _AADHAAR_DIGITS):
            digits = run.digits(first, end)
            if digits[0] in "01" or (run.plus >= 0 and first == 0):
                continue
            whole = (first, end) == (0, len(run.groups))
            fours = all(len(group.digits) == 4 for group in run.groups[first:end])  # noqa: PLR2004
            if not verhoeff(digits):
                if known and whole:
                    yield _finding(PiiKind.AADHAAR, run, first, end, 0.6)
            elif known or fours:
                yield _finding(PiiKind.AADHAAR, run, first, end, 0.97)
            elif whole:
                yield _finding(PiiKind.AADHAAR, run, first, end, 0.6)


def social_security_numbers(text: str, runs: Sequence[Run]) -> Iterator[Finding]:
    """US social security numbers: they have no check digit, but a shape and unused ranges."""
    nearby = Nearby(_SSN_CONTEXT, text)
    for run in runs:
        known = nearby.before(run.start, _REACH) is not None
        for first, end in run.windows(_SSN_DIGITS, _SSN_DIGITS):
            groups = run.groups[first:end]
            digits = run.digits(first, end)
            if not _is_assigned(digits):
                continue
            shaped = [len(group.digits) for group in groups] == [3, 2, 4]
            dashed = shaped and all("-" in group.gap for group in groups[1:])
            if known or dashed:
                yield _finding(PiiKind.US_SSN, run, first, end, 0.96 if known else 0.9)
            elif shaped:
                yield _finding(PiiKind.US_SSN, run, first, end, 0.65)


def _is_assigned(digits: str) -> bool:
    area = digits[:3]
    return area not in _NO_AREA and area[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def numbers_by_context(text: str, runs: Sequence[Run]) -> Iterator[Finding]:
    """Numbers that only the words before them tell: accounts, ids, card codes, PINs."""
    for kind, pattern, (fewest, most), confidence in (
        (PiiKind.ACCOUNT_NUMBER, _ACCOUNT_CONTEXT, _ACCOUNT_DIGITS, 0.8),
        (PiiKind.ID_NUMBER, _ID_CONTEXT, _ID_DIGITS, 0.75),
        (PiiKind.SECRET, _PIN_CONTEXT, _PIN_DIGITS, 0.8),
        (PiiKind.CARD_CODE, _CODE_CONTEXT, _CODE_DIGITS, 0.85),
    ):
        nearby = Nearby(pattern, text)
        if not nearby.ends:
            continue
        for run in runs:
            if nearby.before(run.start, _REACH) is None:
                continue
            window = next(iter(run.windows(fewest, most)), None)
            if window is not None and window[0] == 0:
                yield _finding(kind, run, *window, confidence)


_CODED = re.compile(
    r"(?<![\w-])(?=[A-Z0-9-]{0,23}\d)[A-Z0-9][A-Z0-9-]{3,22}[A-Z0-9](?![\w-])", re.IGNORECASE
)
_CODE_REACH = 24
_FEWEST_DIGITS = 3


def codes_by_context(text: str) -> Iterator[Finding]:
    """Accounts and ids that have letters as well as digits."""
    for kind, pattern, confidence in (
        (PiiKind.ACCOUNT_NUMBER, _ACCOUNT_CONTEXT, 0.75),
        (PiiKind.ID_NUMBER, _ID_CONTEXT, 0.72),
    ):
        done = 0
        for context in pattern.finditer(text):
            begin = max(done, context.end())
            found = _CODED.search(text, begin, min(len(text), context.end() + _CODE_REACH + 25))
            if found is None or found.start() - context.end() > _CODE_REACH:
                continue
            if sum(one.isdigit() for one in found.group()) >= _FEWEST_DIGITS:
                yield Finding(kind, *found.span(), confidence, found.group().upper())
                done = found.end()
