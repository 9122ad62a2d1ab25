"""Words, numbers and marks of a folded text, with their places; in linear time."""

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from shared.text.wordlists import word_set

# A possessive 's is no part of its word.
_LETTERS = r"(?:[^\W\d_][\u0300-\u036f]*+)+"
_TOKEN = re.compile(
    rf"(?P<word>{_LETTERS}(?:(?:'(?!s\b)|-){_LETTERS})*)|(?P<number>\d++)|(?P<mark>\S)",
    re.IGNORECASE,
)
_ENDS_SENTENCE = frozenset(".!?:;…।")
_ABBREVIATED = word_set(
    "mr mrs ms dr prof st sgt lt capt col gen rev hon sr jr inc ltd corp co vs no a.m p.m"
)


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    MARK = "mark"


class Token(NamedTuple):
    """A word, a number of ASCII digits, or one other character.

    Attributes:
        text: As it stands in the folded text.
        lower: In lower case, without accents.
        start: Of the folded text; so is `end`.
        kind: What it is.
        spaced: Whether white space stands before it.
        opens: Whether a sentence begins with it.
    """

    text: str
    lower: str
    start: int
    end: int
    kind: TokenKind
    spaced: bool
    opens: bool

    @property
    def is_word(self) -> bool:
        """Whether it is made of letters."""
        return self.kind is TokenKind.WORD

    @property
    def is_number(self) -> bool:
        """Whether it is made of digits."""
        return self.kind is TokenKind.NUMBER

    @property
    def capital(self) -> bool:
        """Whether it is a word that begins with a capital."""
        return self.kind is TokenKind.WORD and self.text[0].isupper()


Tokens = Sequence[Token]
NOTHING = Token("", "", -1, -1, TokenKind.MARK, spaced=True, opens=False)


def tokenize(text: str) -> list[Token]:
    """The tokens of a folded text, in order."""
    found: list[Token] = []
    end, opens, before = 0, True, ""
    for match in _TOKEN.finditer(text):
        start = match.start()
        spaced = start > end or not found
        if spaced and "\n" in text[end:start]:
            opens = True
        word = match.group()
        lower = _plain(word)
        kind = TokenKind(match.lastgroup)
        found.append(Token(word, lower, start, match.end(), kind, spaced, opens))
        if kind is TokenKind.MARK:
            if word in _ENDS_SENTENCE:
                opens = not (word == "." and (len(before) == 1 or before in _ABBREVIATED))
        else:
            opens = False
        before, end = lower, match.end()
    return found


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFD", word.lower())
    return "".join(one for one in parts if not "\u0300" <= one <= "\u036f")


def token_at(tokens: Tokens, place: int) -> Token:
    """The token at a place; an empty one outside."""
    return tokens[place] if 0 <= place < len(tokens) else NOTHING
