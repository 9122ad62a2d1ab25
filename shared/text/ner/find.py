"""All named entities of a text.

English by its lists and contexts; what is known by its shape (e-mail addresses, amounts, dates in
digits) is found in any language.
"""

from shared.text.folding import fold
from shared.text.ner.model import Entity, EntityKind, apart
from shared.text.ner.patterns import shapes
from shared.text.ner.persons import persons, repeated_names
from shared.text.ner.phones import phones
from shared.text.ner.things import listed, made
from shared.text.runs import find_runs
from shared.text.tokens import Tokens, tokenize
from shared.text.view import written_view

LANGUAGES = frozenset({"en"})
"""Languages whose names are known."""
LEAST = 0.5
"""Less sure ones are left out."""
_RANKS = {kind: rank for rank, kind in enumerate(EntityKind)}


def find_entities(text: str) -> list[Entity]:
    """The entities of a text in order; none overlaps another. Linear in its length.

    Spans are of the text as given, in characters (code points). Numbers, dates and amounts in
    words count as those in digits.
    """
    folded = fold(text)
    found = entities_of(folded.text, tokenize(folded.text))
    return [
        Entity(one.kind, *folded.span(one.start, one.end), confidence=one.confidence)
        for one in found
    ]


def entities_of(text: str, tokens: Tokens) -> list[Entity]:
    """`find_entities` of a folded text."""
    found = [*names(tokens), *phones(text, find_runs(text, tokens))]
    view = written_view(text)
    found += (
        Entity(one.kind, *view.span(one.start, one.end), confidence=one.confidence)
        for one in shapes(view.text)
    )
    found = [one for one in found if one.confidence >= LEAST]
    found.sort(key=lambda one: _RANKS[one.kind])
    kept = apart(found, length=len(text))
    again = repeated_names(tokens, kept, text)
    return apart(again, kept, length=len(text))


def names(tokens: Tokens) -> list[Entity]:
    """Candidates for persons, organizations and places; they may overlap."""
    return [*persons(tokens), *listed(tokens), *made(tokens)]
