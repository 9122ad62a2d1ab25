"""Digits one after another, written or spoken: "4111 1111", "four one double one", "forty-one"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.text.itn_lexicon import DIGITS, OH, REPEATS, TEENS, TENS
from shared.text.tokens import Token, Tokens, token_at

_WRITTEN_GAP = re.compile(r"[ \t]?[-./][ \t]?|\s{1,2}|\)[ .-]?|[ -]?\(")
_SPOKEN_GAP = re.compile(r"[\s.,/-]{1,4}")
_BETWEEN = frozenset({"dash", "hyphen", "space", "then"})
_SPOKEN = frozenset({*DIGITS, *TEENS, *TENS, *OH, *REPEATS})
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that were written or said in one piece.

    Attributes:
        digits: ASCII digits.
        start: Where it begins in the text; `end` is after it.
        spoken: Whether it is in words.
        gap: What stands between it and the group before.
    """

    digits: str
    start: int
    end: int
    spoken: bool
    gap: str


@dataclass(frozen=True, slots=True)
class Run:
    """Groups that nothing but separators parts.

    Attributes:
        groups: In order.
        length: Digits in all.
        spoken: Whether any of it is in words.
        plus: Where a plus sign before it stands, or -1.
    """

    groups: Sequence[Group]
    length: int
    spoken: bool
    plus: int

    @property
    def start(self) -> int:
        """Where the first digit is."""
        return self.groups[0].start

    def digits(self, first: int, end: int) -> str:
        """The digits of some of its groups."""
        return "".join(group.digits for group in self.groups[first:end])

    def windows(self, fewest: int, most: int) -> Iterator[tuple[int, int]]:
        """Groups together of `fewest` to `most` digits: first and end; the longest first."""
        for first in range(len(self.groups)):
            total, ends = 0, []
            for end in range(first, min(first + most, len(self.groups))):
                total += len(self.groups[end].digits)
                if total > most:
                    break
                if total >= fewest:
                    ends.append(end + 1)
            for end in reversed(ends):
                yield first, end


def find_runs(text: str, tokens: Tokens) -> list[Run]:
    """The runs of at least three digits, in order; linear.

    Args:
        text: Folded.
        tokens: Of that text.
    """
    found: list[Run] = []
    groups: list[Group] = []
    plus = -1
    place = 0
    while place < len(tokens):
        token = tokens[place]
        read = _read(tokens, place, inside=bool(groups))
        if read is None:
            if not (groups and _passed(token)):
                _close(found, groups, plus)
                groups = []
            place += 1
            continue
        digits, after = read
        end = tokens[after - 1].end
        spoken = token.is_word
        if groups and not _joins(text, groups[-1], token, spoken=spoken):
            _close(found, groups, plus)
            groups = []
        if not groups:
            plus = _plus_before(tokens, place)
        gap = text[groups[-1].end : token.start] if groups else ""
        groups.append(Group(digits, token.start, end, spoken, gap))
        place = after
    _close(found, groups, plus)
    return found


def _close(found: list[Run], groups: list[Group], plus: int) -> None:
    length = sum(len(group.digits) for group in groups)
    if length >= _FEWEST:
        spoken = any(group.spoken for group in groups)
        found.append(Run(tuple(groups), length, spoken, plus))


def _passed(token: Token) -> bool:
    """Whether a run may go on behind a token."""
    return token.text in "-./(),+" if not token.is_word else token.lower in _BETWEEN


def _joins(text: str, before: Group, token: Token, *, spoken: bool) -> bool:
    gap = text[before.end : token.start]
    if len(gap) > 10:  # noqa: PLR2004 - longer than any separator, and it bounds the work
        return False
    if spoken or before.spoken:
        words = gap.split()
        named = bool(words) and all(word in _BETWEEN for word in words)
        return named or _SPOKEN_GAP.fullmatch(gap) is not None
    return _WRITTEN_GAP.fullmatch(gap) is not None


def _plus_before(tokens: Tokens, place: int) -> int:
    before = token_at(tokens, place - 1)
    if before.text == "(":
        before = token_at(tokens, place - 2)
    return before.start if before.text == "+" or before.lower == "plus" else -1


def _read(tokens: Tokens, place: int, *, inside: bool) -> tuple[str, int] | None:
    """Digits that begin at a token, and the place after them."""
    token = tokens[place]
    if token.is_number:
        return token.text, place + 1
    if token.lower not in _SPOKEN:
        return None
    digits, end = _spoken(token.lower, token_at(tokens, place + 1), inside=inside)
    return (digits, place + end) if digits else None


def _spoken(word: str, following: Token, *, inside: bool) -> tuple[str, int]:
    """Digits of a word or two, and how many words they are."""
    if word in REPEATS:
        return _digit(following) * REPEATS[word], 2
    if word in OH:
        return "0" if inside or _digit(following) else "", 1
    if word in TENS:
        ones = DIGITS.get(following.lower, 0)
        return str(TENS[word] + ones), 2 if ones else 1
    if word in TEENS:
        return str(TEENS[word]), 1
    if word != "zero" and following.lower == "hundred":
        return f"{DIGITS[word]}00", 2
    return str(DIGITS[word]), 1


def _digit(token: Token) -> str:
    if token.lower in OH:
        return "0"
    if token.is_number and len(token.text) == 1:
        return token.text
    return str(DIGITS[token.lower]) if token.lower in DIGITS else ""
