"""Words of a glossary in a text."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache

from services.nlp.services.documents.flat import Flat, Span

LONGEST_TERM = 20
"""In words and marks; so a place in a text takes few looks, whatever terms there are."""
_LAST_MARK = 0x1E94A


@cache
def _token() -> re.Pattern[str]:
    r"""Words, with their marks; any other visible character for itself.

    `\w` takes no vowel signs, so that it would cut the words of Indic scripts.
    """
    marks = "".join(
        re.escape(chr(code))
        for code in range(0x300, _LAST_MARK + 1)
        if unicodedata.category(chr(code))[0] == "M"
    )
    word = rf"[\w\u200c\u200d{marks}]"
    return re.compile(rf"{word}++(?:-{word}++)*|\S")


def words_in(text: str) -> int:
    """How many words and marks there are."""
    return len(_token().findall(text))


def tokens_of(text: str) -> list[tuple[int, int, str]]:
    """Start, end and folded spelling of each token."""
    return [(found.start(), found.end(), found[0].casefold()) for found in _token().finditer(text)]


class Terms:
    """A glossary, ready for use.

    Args:
        entries: Translation by term. Where two terms begin at one word, the longer one counts;
            letters may differ in case. One of more than `LONGEST_TERM` words is none.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self.entries = dict(entries)
        self._known: dict[tuple[str, ...], tuple[str, str]] = {}
        lengths: dict[str, set[int]] = {}
        for term, translation in entries.items():
            words = tuple(word for _, _, word in tokens_of(unicodedata.normalize("NFC", term)))
            if 0 < len(words) <= LONGEST_TERM:
                self._known[words] = (term, translation)
                lengths.setdefault(words[0], set()).add(len(words))
        self._lengths = {word: sorted(found, reverse=True) for word, found in lengths.items()}

    def __len__(self) -> int:
        """How many terms there are."""
        return len(self._known)

    def find(self, flat: Flat) -> list[Span]:
        """The terms of a text, in order, each with what stands for it in the translation."""
        if not self._known:
            return []
        tokens = tokens_of(flat.text)
        words = [word for _, _, word in tokens]
        tags = [tag.place for tag in flat.tags]
        spans: list[Span] = []
        index = 0
        while index < len(tokens):
            taken = 1
            for length in self._lengths.get(tokens[index][2], ()):
                found = self._known.get(tuple(words[index : index + length]))
                if found is None or index + length > len(words):
                    continue
                start, end = tokens[index][0], tokens[index + length - 1][1]
                following = bisect_right(tags, start)
                if following < len(tags) and tags[following] < end:
                    continue
                shown = _cased(flat.text[start:end], *found)
                spans.append(Span(start, end, flat.escaped(shown)))
                taken = length
                break
            index += taken
        return spans


def _cased(written: str, term: str, translation: str) -> str:
    """A term in small letters that begins a sentence has its translation do so, too."""
    if written[:1].isupper() and term[:1].islower():
        return translation[:1].upper() + translation[1:]
    return translation
