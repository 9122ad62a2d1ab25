"""Entities as tags of tokens: IOB2, as models of named entities give them."""

from collections.abc import Iterator, Sequence

from shared.text.folding import fold
from shared.text.ner.model import Entity, EntityKind
from shared.text.tokens import tokenize

OUTSIDE = "O"
_SHORT = {EntityKind.PERSON: "PER", EntityKind.ORGANIZATION: "ORG", EntityKind.LOCATION: "LOC"}


def iob_tags(text: str, entities: Sequence[Entity]) -> Iterator[tuple[int, int, str]]:
    """Start, end and tag of each token: `B-PER`, `I-PER`, …, or `O`.

    Args:
        text: As given.
        entities: Of that text, in order and without overlaps.
    """
    folded = fold(text)
    waiting = iter(entities)
    entity = next(waiting, None)
    inside = False
    for token in tokenize(folded.text):
        start, end = folded.span(token.start, token.end)
        while entity is not None and start >= entity.end:
            entity, inside = next(waiting, None), False
        if entity is None or end <= entity.start:
            yield start, end, OUTSIDE
            continue
        name = _SHORT.get(entity.kind, entity.kind.value)
        yield start, end, f"{'I' if inside else 'B'}-{name}"
        inside = True
