"""Words as rules compare them: small letters, written out, without marks.

`Don't`, `dont` and `do not` are the same two words, `it's` and `it is` too, whoever wrote them
down: a person, or recognition without punctuation. Every word knows where it stands in its text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from services.nlp.services.content_words import MARKS

STOP, ASKED = ".", "?"
"""Stand among the words where a sentence ends; no phrase reaches over them."""
BOUNDARIES = frozenset({STOP, ASKED})
MONEY = "<money>"
"""The word that an amount with a currency sign is read as."""
NUMBER = "<number>"

# Vowel signs belong to their letters: `\w` takes none, and would cut the words of Indic scripts.
_LETTERS = rf"[^\W\d_](?:[^\W\d_]|[{MARKS}\u200c\u200d])*"
_TOKEN = re.compile(
    r"(?P<money>[$€£¥₹] ?\d+(?:[.,]\d+)*)"
    r"|\d+(?:[.,]\d+)*"
    rf"|{_LETTERS}(?:['’ʼ`´]{_LETTERS})*"  # noqa: RUF001 - the marks that people type
    r"|(?P<end>[.?!…।。？！]+)"  # noqa: RUF001 - marks of other scripts
)
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´", "'"))  # noqa: RUF001 - as above
_QUESTION_MARKS = frozenset("?？")  # noqa: RUF001 - as above
_LONGEST = 40
"""Longer tokens are no words that anybody lists."""

_PRONOUNS = frozenset(
    ("it", "that", "what", "there", "here", "he", "she", "who", "how", "where", "when", "why")
)
_SUFFIXES: Mapping[str, str] = {
    "'re": "are",
    "'ve": "have",
    "'ll": "will",
    "'m": "am",
    "'d": "would",
}
_IRREGULAR: Mapping[str, tuple[str, ...]] = {
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "let's": ("let", "us"),
    "y'all": ("you", "all"),
    "cannot": ("can", "not"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "gotta": ("got", "to"),
    "cant": ("can", "not"),
    "wont": ("will", "not"),
    "lets": ("let", "us"),
    "its": ("it", "is"),
    "im": ("i", "am"),
    "alright": ("all", "right"),
    "ok": ("okay",),
}
_BARE: Mapping[str, tuple[str, ...]] = {
    **{
        f"{verb}nt": (verb, "not")
        for verb in (
            *("do", "does", "did", "is", "are", "was", "has", "had", "have"),
            *("would", "could", "should", "need"),
        )
    },
    **{f"{who}re": (who, "are") for who in ("you", "they")},
    **{f"{who}ve": (who, "have") for who in ("i", "you", "they", "we")},
    **{f"{who}ll": (who, "will") for who in ("you", "they")},
    **{f"{word}s": (word, "is") for word in ("that", "what", "there", "how", "where", "who")},
}
_NUMBER_WORDS = frozenset(
    (
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
        *("eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy"),
        *("eighty", "ninety", "hundred", "thousand", "million"),
    )
)


class Word(NamedTuple):
    """A word of a segment.

    Attributes:
        text: As rules compare it.
        segment: Index of its segment.
        start: Of its characters in the segment's text; likewise `end`.
    """

    text: str
    segment: int
    start: int
    end: int


def words_of(text: str, segment: int = 0) -> Iterator[Word]:
    """The words of a text, with `STOP` or `ASKED` where a sentence ends."""
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if token["end"]:
            # A point inside of a name or number ends nothing.
            if end == len(text) or text[end].isspace() or text[end] in "\"')”’":
                mark = ASKED if _QUESTION_MARKS & set(token["end"]) else STOP
                yield Word(mark, segment, start, end)
            continue
        written = (MONEY,) if token["money"] else _written_out(token.group()[: _LONGEST + 1])
        for word in written:
            yield Word(word, segment, start, end)


@lru_cache(maxsize=16_384)
def _written_out(token: str) -> tuple[str, ...]:
    word = token.translate(_APOSTROPHES).casefold()
    # Of a bare ending, such as `n't` by itself, a part is empty.
    return tuple(part for part in _parts(word) if part)


def _parts(word: str) -> tuple[str, ...]:
    found = _IRREGULAR.get(word) or _BARE.get(word)
    if found:
        return found
    if "'" not in word:
        return (word,)
    if word.endswith("n't"):
        return (word[:-3], "not")
    for suffix, verb in _SUFFIXES.items():
        if word.endswith(suffix):
            return (*_parts(word.removesuffix(suffix)), verb)
    stem = word.removesuffix("'s")
    if stem != word:
        return (stem, "is") if stem in _PRONOUNS else (stem,)
    return (word.replace("'", ""),)


def without_hesitation(words: Iterable[Word], hesitations: AbstractSet[str]) -> list[Word]:
    """The words that mean something: no `um`, and nothing said twice in a row."""
    kept: list[Word] = []
    for word in words:
        if word.text in hesitations:
            continue
        if kept and kept[-1].text == word.text and kept[-1].segment == word.segment:
            if word.text not in BOUNDARIES:
                kept[-1] = kept[-1]._replace(end=word.end)
            continue
        kept.append(word)
    return kept


def is_number(word: str) -> bool:
    """Whether a word is an amount or a part of one."""
    return word[0].isdigit() or word == MONEY or word in _NUMBER_WORDS
