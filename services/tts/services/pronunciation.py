"""Words and phrases that a tenant wants to be spoken in its own way, found in one pass.

A phrase is found as whole words. Written with a capital it is found as it is written; in lower
case it is found however it is written.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.text.clean import clean_text

MOST_TOKENS = 16
# Scripts that put no space between words: each character stands for itself.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)


def _mark_ranges() -> str:
    """Combining marks, for a character class: they belong to the letter before them."""
    marks = [code for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M"]
    ranges: list[list[int]] = []
    for code in marks:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(
        f"{chr(first)}-{chr(last)}" if last > first else chr(first) for first, last in ranges
    )


_TOKEN = re.compile(
    rf"(?P<space>\s*+)(?P<token>[{UNSPACED}][{_mark_ranges()}]*+"
    rf"|(?:(?![{UNSPACED}])[\w{_mark_ranges()}\u200c\u200d])+|\S)"
)


class Found(NamedTuple):
    """A phrase in a text: from `start` to `end`, to be spoken as `alias`."""

    start: int
    end: int
    alias: str


class _Node:
    """What may follow the tokens so far."""

    __slots__ = ("after", "alias")

    def __init__(self) -> None:
        self.after: dict[tuple[bool, str], _Node] = {}
        self.alias: str | None = None


class Pronunciations(Mapping[str, str]):
    """Aliases by phrase, made ready to be looked for."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = dict(aliases)
        self._exact, self._any = _Node(), _Node()
        for phrase, alias in self._aliases.items():
            self._add(clean_text(phrase), " ".join(clean_text(alias).split()))

    def __getitem__(self, phrase: str) -> str:
        """The alias of a phrase."""
        return self._aliases[phrase]

    def __iter__(self) -> Iterator[str]:
        """The phrases."""
        return iter(self._aliases)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._aliases)

    def _add(self, phrase: str, alias: str) -> None:
        tokens = tokens_of(phrase)
        if not 0 < len(tokens) <= MOST_TOKENS or not alias:
            return
        node = self._any if is_caseless(phrase) else self._exact
        for place, (spaced, token) in enumerate(tokens):
            key = (spaced and place > 0, sys.intern(token))
            node = node.after.setdefault(key, _Node())
        node.alias = alias

    def find(self, text: str) -> list[Found]:
        """The phrases in a text, the longest at each place, none over another."""
        if not self._aliases:
            return []
        # White space at the end would be looked through from each of its characters.
        tokens = list(_TOKEN.finditer(text.rstrip()))
        exact = [(bool(one["space"]), one["token"]) for one in tokens]
        folded = [(spaced, token.lower()) for spaced, token in exact]
        found: list[Found] = []
        place = 0
        while place < len(tokens):
            # The longest; of two as long, the one that is written just so.
            length, alias = max(
                _walk(self._exact, exact, place),
                _walk(self._any, folded, place),
                key=lambda best: best[0],
            )
            if length:
                last = tokens[place + length - 1]
                found.append(Found(tokens[place].start("token"), last.end(), alias))
            place += length or 1
        return found


def _walk(node: _Node, tokens: list[tuple[bool, str]], place: int) -> tuple[int, str]:
    """Number of tokens of the longest phrase at a place, and its alias."""
    best = (0, "")
    for length in range(1, min(MOST_TOKENS, len(tokens) - place) + 1):
        spaced, token = tokens[place + length - 1]
        following = node.after.get((spaced and length > 1, token))
        if following is None:
            return best
        node = following
        if node.alias is not None:
            best = (length, node.alias)
    return best


def tokens_of(text: str) -> list[tuple[bool, str]]:
    """The words and marks of a text, each with whether white space is before it."""
    return [(bool(one["space"]), one["token"]) for one in _TOKEN.finditer(text.rstrip())]


def is_caseless(phrase: str) -> bool:
    """Whether a phrase is found in any case: it is in lower case itself."""
    return phrase == phrase.lower()
