"""Finding the phrases of many lists at once, in time linear in the words.

A phrase is written as people say it. Besides words it may have:

| written | stands for |
|---|---|
| `too|very` | either word; an empty side, `really|`, makes the word optional |
| `*` | up to three words, not at either end |
| `<number>` | a number in figures or words |
| `<money>` | an amount with a currency sign |
| `!` before the phrase | an exception: nothing of its list is found where this one is |
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from services.nlp.services.conversation.words import (
    BOUNDARIES,
    MONEY,
    NUMBER,
    is_number,
    words_of,
)

MAX_PHRASE_WORDS = 12
MAX_GAPS = 2
MAX_VARIANTS = 1_000
_MOST_STEPS = 250
"""From one word; people's rules take some twenty, and rows that differ in `<number>` any number."""
_GAP, _GAP_WORDS = "*", 3
_EXCEPTION = "!"
_CLASSES = {MONEY, NUMBER}


class Hit(NamedTuple):
    """A phrase in a row of words: from the word `first` to the word `last`."""

    list_name: str
    first: int
    last: int


class _Node:
    __slots__ = ("children", "ends", "gap")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.gap: _Node | None = None
        self.ends: list[tuple[str, bool]] = []


class PhraseBook:
    """Phrase lists, made into one tree.

    Args:
        lists: Phrases by name of their list; see `variants` for what is refused.
    """

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        self._root = _Node()
        for name, phrases in lists.items():
            for phrase in phrases:
                for words in variants(phrase):
                    self._add(words, name, is_exception=phrase.startswith(_EXCEPTION))

    def _add(self, words: Sequence[str], name: str, *, is_exception: bool) -> None:
        node = self._root
        for word in words:
            if word == _GAP:
                node.gap = node.gap or _Node()
                node = node.gap
            else:
                node = node.children.setdefault(word, _Node())
        if (name, is_exception) not in node.ends:
            node.ends.append((name, is_exception))

    def find(self, words: Sequence[str]) -> list[Hit]:
        """The phrases among the words, in order; of those that begin together, the longest.

        The work for each word is bounded: beyond `_MOST_STEPS` the phrases that are left are not
        looked for there.
        """
        found: dict[tuple[str, int], int] = {}
        excepted: dict[str, list[tuple[int, int]]] = {}
        for first in range(len(words)):
            for last, ends in self._from(words, first):
                for name, is_exception in ends:
                    if is_exception:
                        excepted.setdefault(name, []).append((first, last))
                    else:
                        found[name, first] = max(found.get((name, first), 0), last)
        hits = [Hit(name, first, last) for (name, first), last in found.items()]
        if excepted:
            taken = {
                name: {word for first, last in spans for word in range(first, last + 1)}
                for name, spans in excepted.items()
            }
            hits = [hit for hit in hits if not _touches(hit, taken.get(hit.list_name))]
        return hits

    def _from(
        self, words: Sequence[str], first: int
    ) -> Iterator[tuple[int, list[tuple[str, bool]]]]:
        waiting = [(self._root, first)]
        for _ in range(_MOST_STEPS):
            if not waiting:
                break
            node, position = waiting.pop()
            if node.gap is not None:
                for skipped in range(_GAP_WORDS + 1):
                    waiting.append((node.gap, position + skipped))
                    if position + skipped >= len(words) or words[position + skipped] in BOUNDARIES:
                        break
            if position >= len(words):
                continue
            word = words[position]
            for key in _keys(word) if node.children else ():
                child = node.children.get(key)
                if child is not None:
                    if child.ends:
                        yield position, child.ends
                    waiting.append((child, position + 1))


def _keys(word: str) -> tuple[str, ...]:
    return (word, NUMBER) if is_number(word) else (word,)


def _touches(hit: Hit, taken: set[int] | None) -> bool:
    return taken is not None and any(word in taken for word in range(hit.first, hit.last + 1))


def variants(phrase: str) -> list[tuple[str, ...]]:
    """All rows of words that a phrase stands for.

    Raises:
        ValueError: It has no word, begins or ends with a gap, or stands for too much.
    """
    choices = [_alternatives(part) for part in phrase.removeprefix(_EXCEPTION).split()]
    count = 1
    for choice in choices:
        count *= len(choice)
        if count > MAX_VARIANTS:
            raise ValueError(f"a phrase may stand for at most {MAX_VARIANTS} rows of words")
    found = []
    for row in product(*choices):
        words = tuple(word for part in row for word in part)
        if not words or words[0] == _GAP or words[-1] == _GAP:
            raise ValueError("a phrase begins and ends with a word")
        if len(words) > MAX_PHRASE_WORDS:
            raise ValueError(f"a phrase has at most {MAX_PHRASE_WORDS} words")
        if words.count(_GAP) > MAX_GAPS:
            raise ValueError(f"a phrase has at most {MAX_GAPS} gaps")
        found.append(words)
    return found


def _alternatives(part: str) -> list[tuple[str, ...]]:
    if part == _GAP or part in _CLASSES:
        return [(part,)]
    found = []
    for side in part.split("|"):
        words = tuple(word.text for word in words_of(side) if word.text not in BOUNDARIES)
        if side and not words:
            raise ValueError("a phrase is made of words")
        found.append(words)
    return found


def plain_words(phrases: Sequence[str]) -> frozenset[str]:
    """The single words of a list, e.g. of hesitations."""
    return frozenset(re.sub(r"\s", "", phrase).casefold() for phrase in phrases)
