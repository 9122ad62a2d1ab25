"""What an expression of PromQL names, as far as static checks need it."""

import re
from collections.abc import Iterator

_TEXT = re.compile(r'"(?:\\.|[^"\\])*"')
_SELECTOR = re.compile(r"(?<![\w:$])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")
_MATCHER = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "e", "Inf", "NaN"})
_DURATION = re.compile(r"\[[^\]]*\]")


def selectors(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The series that an expression reads: a name, and the labels that it is matched by."""
    # What is in quotes may look like anything, braces included.
    text = _TEXT.sub('""', expression)
    text = _DURATION.sub("", _GROUPING.sub("", text))
    for found in _SELECTOR.finditer(text):
        name, matchers = found[1], found[2] or ""
        called = text[found.end() :].lstrip().startswith("(") and not matchers
        if name not in _WORDS and not called:
            yield name, frozenset(_MATCHER.findall(matchers))
