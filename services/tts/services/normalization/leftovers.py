"""What no rule understands as a whole: letters, digits and symbols one after the other."""

import re
import unicodedata
from itertools import pairwise

from services.tts.services.normalization.letters import acronym
from services.tts.services.normalization.numerals import (
    ONES,
    below_hundred,
    cardinal,
    digits,
    ordinal,
    spell_number,
    value_of,
)
from services.tts.services.normalization.quantities import ORDINAL_ENDS
from services.tts.services.normalization.words import Reading, Style, Words, core_at

# Fractions, powers and the like: letters of a word to Python, but not to a reader.
_NUMERALS = "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209f\u2150-\u218f\u2460-\u24ff"
_RUN = re.compile(
    r"(?P<digits>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)"
    rf"|(?P<letters>(?:(?![{_NUMERALS}])[^\W\d_]|['’](?=[^\W\d_])|[\u0300-\u036f\u200c\u200d])+)"
    r"|(?P<same>(?P<symbol>.)(?P=symbol)*)",
    re.DOTALL,
)
SYMBOLS = {
    "&": "and",
    "@": "at",
    "+": "plus",
    "=": "equals",
    "%": "percent",
    "#": "hash",
    "\u2264": "at most",
    "\u2265": "at least",
    "\u2260": "is not",
    "≈": "about",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "\u2212": "minus",
    "√": "root",
    "∞": "infinity",
    "π": "pi",
    "°": "degrees",
    "©": "copyright",
    "®": "registered",
    "™": "trademark",
    "§": "section",
    "¶": "paragraph",
    "$": "dollars",
    "€": "euros",
    "£": "pounds",
    "¥": "yen",
    "₹": "rupees",
    "¢": "cents",
    "→": "to",
    "⇒": "gives",
    "²": "squared",
    "³": "cubed",
    "½": "one half",
    "¼": "one quarter",
    "¾": "three quarters",
    "№": "number",
    "\\": "backslash",
    "/": "slash",
    "\u2044": "slash",
}
_BETWEEN_NUMBERS = {
    "<": "less than",
    ">": "more than",
    "~": "about",
    "*": "times",
    "^": "to the power of",
}
"""Anywhere else these set a layout."""
_OPERATORS = {**_BETWEEN_NUMBERS, "-": "minus", "–": "to", "x": "times"}
_SILENT = frozenset("*_|~`{}[]<>•·■□▪●○◦†‡\u00ad")
"""Marks of layout: not said, though some of them have a meaning between numbers."""
_SUB_AND_SUPER = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹⁴⁵⁶⁷⁸⁹", "012345678901456789")
_BEFORE_MARK = re.compile(" (?=[,.;:!?](?: |$))")
_CODE = 4
_LONGEST_ORDINAL = 15


def read_leftover(words: Words, place: int, style: Style) -> Reading | None:
    """The runs of a word; None where it is plain letters already."""
    word = words[place]
    alone = _operator(words, place)
    if alone is not None:
        return Reading(alone, place + 1, open=True, shut=True)
    if not word.core:
        return _bare(words, place)
    if word.core.isalpha() and not word.core.isupper():
        return None
    spoken = spell_runs(word.core, shouting=style.shouting)
    return None if spoken == word.core else Reading(spoken, place + 1)


def _operator(words: Words, place: int) -> str | None:
    """A sign of arithmetic between two words."""
    raw = words[place].raw
    if raw not in _OPERATORS or not 0 < place < len(words) - 1:
        return None
    before, after = core_at(words, place - 1), core_at(words, place + 1)
    numbers = before[-1:].isdecimal() and after[:1].isdecimal()
    if raw in "<>" or numbers:
        if raw != "-":
            return _OPERATORS[raw]
        first, second = value_of(before), value_of(after)
        return "to" if first is not None and second is not None and first < second else "minus"
    return None


def _bare(words: Words, place: int) -> Reading | None:
    """Punctuation by itself: a dash stays, what only sets a layout is silent."""
    raw = words[place].raw
    if all(one in _SILENT for one in raw):
        return Reading("", place + 1, open=True, shut=True)
    return None


def spell_runs(core: str, *, shouting: bool = False) -> str:
    """A word as its runs of letters, digits and symbols are spoken."""
    core = core.translate(_SUB_AND_SUPER)
    runs = [(found.lastgroup or "", found.group()) for found in _RUN.finditer(core)]
    parts: list[str] = []
    for place, (kind, text) in enumerate(runs):
        before = runs[place - 1] if place else ("", "")
        after = runs[place + 1] if place + 1 < len(runs) else ("", "")
        if kind == "digits" and after[1] in ORDINAL_ENDS and text.isdecimal():
            parts.append(f" {ordinal(int(text[:_LONGEST_ORDINAL]))}")
        elif before[0] == "digits" and text in ORDINAL_ENDS:
            parts.append("")
        elif kind == "digits":
            parts.append(f" {_number(text, lettered='letters' in (before[0], after[0]))} ")
        elif kind == "letters":
            # Before a number an A alone would be the article.
            alone = text == "A" and after[0] == "digits"
            parts.append("A-" if alone else acronym(text, shouting=shouting) or text)
        else:
            parts.append("... " if text[:2] == ".." else _symbol(text[0], before, after))
    spaced = [
        f"{one} " if first[0] == second[0] == "letters" else one
        for one, (first, second) in zip(parts, pairwise([*runs, ("", "")]), strict=True)
    ]
    return _BEFORE_MARK.sub("", " ".join("".join(spaced).split())).replace("A- ", "A-")


def _number(text: str, *, lettered: bool) -> str:
    """Digits in a word; next to letters they are a name: `A380` is "three eighty"."""
    plain = text.isdecimal()
    if plain and lettered and len(text) in {3, _CODE} and text[0] != "0":
        return _named(text)
    if plain and len(text) > _CODE:
        return digits(text)
    return spell_number(text) or digits(text)


def _named(text: str) -> str:
    head, tail = int(text[:-2]), int(text[-2:])
    if tail == 0:
        return cardinal(int(text))
    low = f"oh {ONES[tail]}" if tail < 10 else below_hundred(tail)  # noqa: PLR2004 - one digit
    return f"{below_hundred(head)} {low}"


def _symbol(symbol: str, before: tuple[str, str], after: tuple[str, str]) -> str:
    between = {before[0], after[0]}
    numbers = "digits" in between
    if symbol in "-\u2010\u2011":
        return " " if numbers or "same" in between else "-"
    if symbol in "–—":
        return " to " if between == {"digits"} else " – "
    if symbol == ".":
        # `foo.bar` is a name, `end.Next` two sentences whose space is missing.
        named = between <= {"letters", "digits"} and after[1][:1].islower()
        return " dot " if named else ". "
    if symbol in _BETWEEN_NUMBERS:
        return f" {_BETWEEN_NUMBERS[symbol]} " if numbers else " "
    return f" {SYMBOLS[symbol]} " if symbol in SYMBOLS else _other(symbol)


def _other(symbol: str) -> str:
    if symbol in _SILENT:
        return " "
    category = unicodedata.category(symbol)
    if category[0] in "PML":
        if category in {"Ps", "Pi"}:
            return f" {symbol}"
        return symbol if symbol in "'’" or category[0] in "ML" else f"{symbol} "
    # Pictures, boxes, arrows: they are not for the ear.
    return " "
