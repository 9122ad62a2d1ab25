"""What is known by its shape: addresses of the net, dates, times, money, percentages, numbers.

No expression here can begin inside a run of its own characters, and every repetition is bounded:
that keeps the work linear.
"""

import re
from collections.abc import Iterator

from shared.text.ner.model import Entity, EntityKind

_LONGEST_LOCAL, _LONGEST_DOMAIN, _LONGEST_LABEL = 64, 253, 63
_LOCAL_MARKS = frozenset("._%+'-")
_DAYS_OF_MONTH, _MONTHS_OF_YEAR = 31, 12

_MONTH = (
    "(?:(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"\b|(?:jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?)"
)
_SURE_MONTH = "(?:january|february|april|june|july|august|september|october|november|december)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:1[5-9]|20)\d\d"
_WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_B = r"(?<![\w.,/-])"
_E = r"(?![\w/-])"
_DATES = re.compile(
    rf"{_B}(?:{_WEEKDAY},?\s)?(?:the\s)?{_DAY}\s(?:of\s)?{_MONTH}(?:,?\s{{1,2}}{_YEAR})?(?!\w)"
    rf"|{_B}(?:{_WEEKDAY},?\s)?{_MONTH}\s(?:the\s)?{_DAY}(?:,?\s{{1,2}}{_YEAR})?(?![\w:])"
    rf"|{_B}{_MONTH},?\s{_YEAR}{_E}"
    rf"|{_B}(?:next\s|last\s|this\s|early\s|late\s|mid-)?{_SURE_MONTH}\b"
    rf"|{_B}(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})(?!\d)"
    rf"|{_B}(?P<figures>\d{{1,2}}([/.-])\d{{1,2}}\3(?:\d{{4}}|\d{{2}}))(?![\w/.-]*\d)"
    rf"|{_B}(?:next\s|last\s|this\s|every\s)?{_WEEKDAY}(?!\w)(?:\s(?:morning|afternoon|evening|night)\b)?"
    rf"|{_B}(?:next|last|this)\s(?:week|weekend|month|year|quarter|spring|summer|autumn|winter)\b"
    rf"|{_B}(?:today|tomorrow|yesterday|tonight)\b"
    rf"|{_B}(?:(?<=\bin )|(?<=\bsince )|(?<=\bof )|(?<=\bby )|(?<=\buntil )|(?<=\byear )"
    rf"|(?<=\bfrom )|(?<=\bduring )|(?<=\bbefore )|(?<=\bafter )){_YEAR}(?![\w.,-]*\d)(?!\w)"
    rf"|{_B}(?:the\s)?(?:1[5-9]|20)\d0s(?!\w)"
    r"|(?<!\w)(?:christmas(?:\seve)?|easter|diwali|new\syear's\s(?:day|eve)|thanksgiving)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(
    rf"{_B}(?:[01]?\d|2[0-3])(?::|\.(?=\d\d\s?[ap]\.?m))[0-5]\d(?::[0-5]\d)?"
    r"(?:\s?[ap](?:\.m\.|m\b))?(?![\w:])"
    rf"|{_B}(?:0?[1-9]|1[0-2])\s?(?:[ap]\.m\.|[ap]m\b)"
    rf"|{_B}(?:0?[1-9]|1[0-2])\s?o'clock\b"
    r"|(?<!\w)(?:noon|midnight|half\spast\s[a-z]{3,6}|quarter\s(?:to|past)\s[a-z]{3,6})\b",
    re.IGNORECASE,
)
_AMOUNT = r"\d{1,3}(?:,\d{2,3}){1,6}(?:\.\d{1,4})?|\d{1,15}(?:\.\d{1,4})?"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|lakh|lakhs|crore|crores|bn|mn)\b|[kmb]\b)"
_CODES = "(?:usd|eur|gbp|inr|jpy|aud|cad|chf)"
_UNITS = (
    "(?:us\\sdollars|dollars?|euros?|pounds?(?!\\sof)|rupees?|yen|cents?|pence|yuan|pesos?|francs?"
    "|bucks)"
)
_MONEY = re.compile(
    rf"(?<![\w$€£¥₹.,])(?:(?:us|a|c)?[$€£¥₹]\s?|rs\.?\s?|{_CODES}\s)(?:{_AMOUNT}){_SCALE}?(?!\d)"
    rf"|(?<![\w$€£¥₹.,])(?:{_AMOUNT}){_SCALE}?\s?(?:[€£¥₹¢](?!\w)|(?:{_CODES}|{_UNITS})\b)",
    re.IGNORECASE,
)
_PERCENTS = re.compile(
    r"(?<![\w.,])-?\d{1,12}(?:[.,]\d{1,6})?(?:\s?%|\s(?:percent|per\scent)\b)", re.IGNORECASE
)
_NUMBERS = re.compile(
    r"(?<![\w.,/])-?(?:\d{1,3}(?:,\d{2,3}){1,8}(?:\.\d{1,9})?|\d{1,30}(?:\.\d{1,9})?)"
    r"(?:\s(?:thousand|million|billion|trillion|lakh|crore)\b)?(?!\w|[.,/]\d)",
    re.IGNORECASE,
)
_URLS = re.compile(
    r"(?<![\w@])(?:https?|ftp)://[^\s<>\"]{1,2000}"
    r"|(?<![\w@.-])www\.[^\s<>\"]{3,2000}"
    r"|(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}"
    r"(?:com|org|net|io|gov|edu|info|biz|dev|app|ai|co|in|uk|de|es|fr)\b(?![\w@.-]*@)(?!-)"
    r"(?:/[^\s<>\"]{0,2000})?",
    re.IGNORECASE,
)
_URL_TAIL = ".,;:!?)]}'\""


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Spans of e-mail addresses."""
    at = text.find("@")
    while at >= 0:
        start, end = _local_start(text, at), _domain_end(text, at + 1)
        if start < at and end:
            yield start, end
        at = text.find("@", at + 1)


def _local_start(text: str, at: int) -> int:
    start = at
    while start and at - start < _LONGEST_LOCAL:
        one = text[start - 1]
        if not (one.isalnum() or one in _LOCAL_MARKS):
            break
        start -= 1
    while start < at and not text[start].isalnum():
        start += 1
    return start


def _domain_end(text: str, begin: int) -> int:
    """Where the domain that begins here ends; 0 where none does."""
    end = begin
    while end < len(text) and end - begin < _LONGEST_DOMAIN:
        if not (text[end].isalnum() or text[end] in ".-"):
            break
        end += 1
    labels = text[begin:end].rstrip(".-").split(".")
    while len(labels) > 1 and not (labels[-1].isalpha() and len(labels[-1]) > 1):
        labels.pop()
    if len(labels) < 2 or any(not 0 < len(label) <= _LONGEST_LABEL for label in labels):  # noqa: PLR2004
        return 0
    return begin + len(".".join(labels))


def urls(text: str) -> Iterator[tuple[int, int]]:
    """Spans of web addresses."""
    for found in _URLS.finditer(text):
        end = found.start() + len(found.group().rstrip(_URL_TAIL))
        yield found.start(), end


def dates(text: str) -> Iterator[tuple[int, int]]:
    """Spans of dates, weekdays, months and years."""
    for found in _DATES.finditer(text):
        if found["iso"] and not _is_day(*map(int, found["iso"].split("-")[1:])):
            continue
        if found["figures"] and not _is_day(*map(int, found["figures"].split(found[3])[:2])):
            continue
        yield found.span()


def _is_day(first: int, second: int) -> bool:
    """Whether two figures can be a month and a day of it, in whichever order."""
    month, day = sorted((first, second))
    return 0 < month <= _MONTHS_OF_YEAR and day <= _DAYS_OF_MONTH


def shapes(text: str) -> Iterator[Entity]:
    """Every entity that is known by its shape; they may overlap."""
    for start, end in emails(text):
        yield Entity(EntityKind.EMAIL, start, end, 0.99)
    for start, end in urls(text):
        yield Entity(EntityKind.URL, start, end, 0.95)
    for start, end in dates(text):
        yield Entity(EntityKind.DATE, start, end, 0.9)
    for kind, pattern, sure in (
        (EntityKind.TIME, _TIMES, 0.9),
        (EntityKind.MONEY, _MONEY, 0.95),
        (EntityKind.PERCENT, _PERCENTS, 0.97),
        (EntityKind.NUMBER, _NUMBERS, 0.8),
    ):
        for found in pattern.finditer(text):
            yield Entity(kind, found.start(), found.end(), sure)
