"""The words of a text that carry content, with their places; in linear time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.text.stopwords import STOP_WORDS

LANGUAGES = frozenset(STOP_WORDS)
"""Languages whose words of grammar are known."""
# Marks of Indic scripts belong to their letters; the danda between them does not.
MARKS = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff"
"""To go between the brackets of a pattern."""
_WORD = re.compile(rf"(?:[^\W\d_]|[{MARKS}])(?:[\w{MARKS}]|['’-](?=\w))*|\d[\w.,%-]*+|\S")
_SHORTEST_PLURAL = 4
_NO_PLURALS = ("ss", "us", "is")


@dataclass(frozen=True, slots=True)
class ContentWord:
    """A word with content.

    Attributes:
        stem: By which its forms are counted as one.
        start: Of the text; `end` is after it.
        joined: Whether only white space parts it from the content word before.
    """

    stem: str
    start: int
    end: int
    joined: bool


def content_words(
    text: str, language: str, start: int = 0, end: int | None = None
) -> Iterator[ContentWord]:
    """The content words of a part of a text, in order.

    Args:
        text: Any.
        language: One of `LANGUAGES`.
        start: Where the part begins; `end` is after it.
        end: The end of the text when absent.
    """
    stops = STOP_WORDS[language]
    joined = False
    for found in _WORD.finditer(text, start, len(text) if end is None else end):
        word = found.group().lower().replace("’", "'")
        if len(word) < 2 or word in stops or not (word[0].isalpha()):  # noqa: PLR2004
            joined = False
            continue
        yield ContentWord(_stem(word, language), *found.span(), joined)
        joined = True


def _stem(word: str, language: str) -> str:
    word = word.removesuffix("'s")
    plural = language != "hi" and len(word) >= _SHORTEST_PLURAL and word[-1] == "s"
    return word[:-1] if plural and not word.endswith(_NO_PLURALS) else word
