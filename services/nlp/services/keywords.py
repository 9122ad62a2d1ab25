"""Key phrases of a text, by rules and counts.

After RAKE (S. Rose, D. Engel, N. Cramer, W. Cowley, 2010): phrases are what stands between words
of grammar and punctuation, and a word counts by how often and in how long phrases it stands.
Unlike there, frequent phrases and early ones count more, and parts of longer phrases are left out.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from services.nlp.models.annotation import Keyword
from services.nlp.services.content_words import ContentWord, content_words

_LONGEST = 3
_MOST_PLACES = 20
_LATER = 0.1
_LENGTH_COUNTS = 0.25
"""0 prefers long phrases, 1 takes the mean of their words."""
Stems = tuple[str, ...]


def keywords(text: str, language: str, count: int) -> list[Keyword]:
    """The most telling phrases, the best first; linear in the text, and always the same.

    Args:
        text: Any.
        language: A language of `content_words`.
        count: Phrases at most.
    """
    rows = _rows(text, language)
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        for word in row:
            weights[word.stem] += min(len(row), _LONGEST)
    places = _phrases(rows)
    scored = sorted(
        (
            (-_score(stems, found, weights, len(text)), found[0][0], stems)
            for stems, found in places.items()
        )
    )
    chosen: list[tuple[float, Stems]] = []
    covered: dict[Stems, int] = {}
    known: set[Stems] = set()
    for negative, _, stems in scored:
        if len(chosen) == count:
            break
        # A part says no more than its phrase does, unless it occurs on its own as well; a phrase
        # of which a part is there already has a word by chance beside it.
        here = len(places[stems])
        longer = any(part in known for part in _parts(stems) if 1 < len(part) < len(stems))
        if here > covered.get(stems, 0) and not longer:
            known.add(stems)
            chosen.append((-negative, stems))
            for part in _parts(stems):
                covered[part] = max(covered.get(part, 0), here)
    best = chosen[0][0] if chosen else 1.0
    return [_keyword(text, score / best, places[stems]) for score, stems in chosen]


def _rows(text: str, language: str) -> list[list[ContentWord]]:
    rows: list[list[ContentWord]] = []
    for word in content_words(text, language):
        if word.joined and rows:
            rows[-1].append(word)
        else:
            rows.append([word])
    return rows


def _phrases(rows: Sequence[Sequence[ContentWord]]) -> dict[Stems, list[tuple[int, int]]]:
    """Places of each phrase: single words, whole rows, and what occurs more than once."""
    places: dict[Stems, list[tuple[int, int]]] = defaultdict(list)
    whole = set()
    for row in rows:
        for length in range(1, min(_LONGEST, len(row)) + 1):
            for first in range(len(row) - length + 1):
                part = row[first : first + length]
                stems = tuple(word.stem for word in part)
                places[stems].append((part[0].start, part[-1].end))
                if length in (1, len(row)):
                    whole.add(stems)
    return {stems: found for stems, found in places.items() if stems in whole or len(found) > 1}


def _parts(stems: Stems) -> list[Stems]:
    return [
        stems[first : first + length]
        for length in range(1, len(stems) + 1)
        for first in range(len(stems) - length + 1)
    ]


def _score(
    stems: Stems, places: Sequence[tuple[int, int]], weights: dict[str, float], length: int
) -> float:
    if len(set(stems)) < len(stems):
        return 0.0  # "bye bye"
    weight = sum(weights[stem] for stem in stems) / math.pow(len(stems), _LENGTH_COUNTS)
    early = 1 / (1 + _LATER * math.log1p(10 * places[0][0] / length))
    return weight * math.sqrt(len(places)) * early


def _keyword(text: str, score: float, places: Sequence[tuple[int, int]]) -> Keyword:
    start, end = places[0]
    return Keyword(text[start:end], round(score, 4), len(places), tuple(places[:_MOST_PLACES]))
