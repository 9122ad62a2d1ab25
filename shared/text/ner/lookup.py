"""Phrases of a list in a text: the longest at each place, in linear time."""

from collections.abc import Iterable, Iterator

from shared.text.tokens import Tokens, token_at, tokenize


class Phrases:
    """A list of phrases by their first word.

    Args:
        phrases: In lower case.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], tuple[bool, ...], str]]] = {}
        for phrase in phrases:
            tokens = tokenize(phrase)
            words = tuple(token.lower for token in tokens)
            gaps = tuple(token.spaced for token in tokens[1:])
            self._by_first.setdefault(words[0], []).append((words, gaps, phrase))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: len(entry[0]), reverse=True)

    def find(self, tokens: Tokens) -> Iterator[tuple[int, int, str]]:
        """First place, end and phrase of each; none overlaps another."""
        place = 0
        while place < len(tokens):
            length, phrase = self._at(tokens, place)
            if length:
                yield place, place + length, phrase
            place += length or 1

    def _at(self, tokens: Tokens, place: int) -> tuple[int, str]:
        for words, gaps, phrase in self._by_first.get(tokens[place].lower, ()):
            length = len(words)
            if place + length > len(tokens):
                continue
            if all(
                tokens[place + step].lower == words[step]
                and tokens[place + step].spaced == gaps[step - 1]
                for step in range(1, length)
            ):
                return length, phrase
        return 0, ""


class Openers:
    """Short phrases that something follows, such as "my name is"."""

    def __init__(self, phrases: Iterable[tuple[str, ...]]) -> None:
        self._phrases = frozenset(phrases)
        self._lengths = sorted({len(phrase) for phrase in self._phrases}, reverse=True)

    def before(self, tokens: Tokens, place: int) -> bool:
        """Whether one of them ends right before a place."""
        return any(
            tuple(token_at(tokens, place - step).lower for step in range(length, 0, -1))
            in self._phrases
            for length in self._lengths
        )
