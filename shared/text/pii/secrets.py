"""Passwords, keys and tokens: by their makers' prefixes, by what is said of them, by chance."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from shared.text.pii.model import Finding, PiiKind

_MADE = re.compile(
    r"(?<![\w-])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)"
    r"|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{20,255}|glpat-[\w-]{20,64}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,255}"
    r"|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/=]{16,255}"
    r"|sk-[A-Za-z0-9_-]{20,255}|AIza[\w-]{35}|ya29\.[\w-]{20,255}"
    r"|sg_(?:live|test)_[A-Za-z0-9_]{20,255}|SG\.[\w-]{16,64}\.[\w-]{16,64}|npm_[A-Za-z0-9]{36}"
    r"|hf_[A-Za-z0-9]{30,64}|eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}(?:\.[\w-]{10,2000})?"
    r")"
)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_KEY_ENDS = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY-----")
_IN_URL = re.compile(r"(?<=://)[^\s/@:]{1,100}:[^\s/@]{1,200}(?=@)")
_NAMED = re.compile(
    r"(?<![A-Za-z])(?:pass ?(?:word|code|phrase)|passwd|pwd|secret(?:[ _-]?key)?|api[ _-]?key"
    r"|(?:access|auth|bearer|refresh|session)[ _-]?token|client[ _-]?secret|token|bearer"
    r"|private[ _-]?key)"
    r"\"?(?P<link>\s{0,2}[:=]{1,2}>?\s{0,2}|\s(?:is|was|will be)(?:\snow)?:?\s|\s)"
    r"[\"'`]?(?P<value>[^\s\"'`,;<>]{4,255})",
    re.IGNORECASE,
)
_VAGUE = re.compile(r"[A-Za-z]+[.!?]?")
_PLACEHOLDER = re.compile(
    r"\[.*|[*x.•_<>{}$%-]+|(?:your|my|the)?[_-]?(?:password|token|secret|key)[.!?]?"
)
_RANDOM = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{28,255}={0,2}(?![\w+/=-])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LEAST_BITS = 4.0
_LEAST_OF_EACH = 3


def secrets(text: str) -> Iterator[Finding]:
    """Spans of secrets."""
    for found in _MADE.finditer(text):
        yield _finding(text, *found.span(), 0.97)
    yield from _private_keys(text)
    for found in _IN_URL.finditer(text):
        yield _finding(text, *found.span(), 0.95)
    for found in _NAMED.finditer(text):
        confidence = _named(found["link"], found["value"])
        if confidence:
            start, end = found.span("value")
            yield _finding(text, start, start + len(text[start:end].rstrip(".!?)")), confidence)
    for found in _RANDOM.finditer(text):
        if _is_random(found.group()):
            yield _finding(text, *found.span(), 0.7)


def _finding(text: str, start: int, end: int, confidence: float) -> Finding:
    return Finding(PiiKind.SECRET, start, end, confidence, text[start:end])


def _private_keys(text: str) -> Iterator[Finding]:
    done = 0
    for begun in _KEY_BEGINS.finditer(text):
        if begun.start() < done:
            continue
        ended = _KEY_ENDS.search(text, begun.end())
        done = ended.end() if ended else len(text)
        yield _finding(text, begun.start(), done, 0.99)


def _named(link: str, value: str) -> float:
    """How sure it is that what follows the word "password" is one."""
    if _PLACEHOLDER.fullmatch(value.lower()):
        return 0.0
    if "=" in link or ":" in link:
        return 0.9 if not _VAGUE.fullmatch(value) else 0.75
    # "The password is wrong": prose, unless it looks like no word.
    strange = not _VAGUE.fullmatch(value) and not value.rstrip(".!?").isdecimal()
    if not strange or not any(one.isalpha() for one in value):
        return 0.0
    odd = any(one.isdigit() or one in "!@#$%^&*_+" for one in value[:-1])
    if link.strip():
        return 0.85 if odd else 0.0
    return 0.7 if odd and len(value) > 7 else 0.0  # noqa: PLR2004


def _is_random(text: str) -> bool:
    """Whether letters and digits are so mixed as no word is."""
    counts = (
        sum(map(str.isdigit, text)),
        sum(map(str.isupper, text)),
        sum(map(str.islower, text)),
    )
    if min(counts) < _LEAST_OF_EACH or _UUID.fullmatch(text) or "://" in text:
        return False
    total = len(text)
    bits = -sum(count / total * math.log2(count / total) for count in Counter(text).values())
    return bits >= _LEAST_BITS
