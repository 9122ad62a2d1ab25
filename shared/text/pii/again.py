"""What was found once, wherever else it stands: the words around it do not tell there."""

from collections.abc import Iterable, Iterator

from shared.text.pii.model import Finding, PiiKind
from shared.text.tokens import Tokens

_LONGEST = 8
_SHORTEST_NAME, _SHORTEST = 3, 4


def repetitions(tokens: Tokens, found: Iterable[Finding]) -> Iterator[Finding]:
    """The same words in other places, names by their own capitals; linear.

    Args:
        tokens: Of the text.
        found: What was found in it, in order, without overlaps.
    """
    known: dict[str, dict[tuple[str, ...], Finding]] = {}
    place = 0
    for one in found:
        while place < len(tokens) and tokens[place].start < one.start:
            place += 1
        end = place
        while end < len(tokens) and tokens[end].end <= one.end and end - place <= _LONGEST:
            end += 1
        words = tuple(_seen(token.text, one.kind) for token in tokens[place:end])
        shortest = _SHORTEST_NAME if one.kind is PiiKind.PERSON else _SHORTEST
        if words and len(words) <= _LONGEST and sum(map(len, words)) >= shortest:
            known.setdefault(words[0], {}).setdefault(words, one)
    if not known:
        return
    lengths = {first: sorted({len(words) for words in entries}) for first, entries in known.items()}
    for place, token in enumerate(tokens):
        for first in dict.fromkeys((token.text, token.lower)):
            for length in lengths.get(first, ()):
                part = tokens[place : place + length]
                like = _match(known[first], part)
                if like is not None:
                    end = part[-1].end
                    yield Finding(like.kind, token.start, end, like.confidence, like.value)


def _seen(word: str, kind: PiiKind) -> str:
    return word if kind is PiiKind.PERSON else word.lower()


def _match(entries: dict[tuple[str, ...], Finding], part: Tokens) -> Finding | None:
    exact = entries.get(tuple(token.text for token in part))
    if exact is not None:
        return exact
    found = entries.get(tuple(token.lower for token in part))
    return found if found is not None and found.kind is not PiiKind.PERSON else None
