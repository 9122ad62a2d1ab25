"""The most telling sentences of a text.

After SumBasic (A. Nenkova, L. Vanderwende, 2005): a sentence counts by the mean probability of its
content words; once it is chosen its words count less, so that the next one says something new.
"""

import heapq
import math
from collections import Counter
from collections.abc import Sequence

from services.nlp.models.annotation import ChosenSentence, SummaryLength
from services.nlp.services.content_words import content_words
from shared.text.sentences import split_sentences

_SHORT = 4
"""A sentence of fewer content words says little, however frequent they are."""
_FIRST = 1.15
MOST_SENTENCES = 50
"""In a summary: it bounds the work."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text are."""
    spans = []
    place = 0
    for index, part in enumerate(split_sentences(text)):
        if index % 2:
            spans.append((place, place + len(part)))
        place += len(part)
    return spans


def summarize(text: str, language: str, length: SummaryLength) -> list[ChosenSentence]:
    """The chosen sentences in the order of the text; always the same for the same text.

    Args:
        text: Any.
        language: A language of `content_words`.
        length: How many sentences.
    """
    spans = sentence_spans(text)
    words = [[one.stem for one in content_words(text, language, *span)] for span in spans]
    total = sum(map(len, words))
    counts = Counter(stem for sentence in words for stem in sentence)
    chances = {stem: count / total for stem, count in counts.items()}
    chosen = _choose(words, chances, _wanted(length, len(spans)))
    best = max((score for _, score in chosen), default=0.0) or 1.0
    return [
        ChosenSentence(*spans[index], round(score / best, 4)) for index, score in sorted(chosen)
    ]


def _wanted(length: SummaryLength, sentences: int) -> int:
    if length.ratio is not None:
        return max(1, min(math.ceil(length.ratio * sentences), MOST_SENTENCES))
    return min(length.sentences, MOST_SENTENCES)


def _choose(
    words: Sequence[Sequence[str]], chances: dict[str, float], wanted: int
) -> list[tuple[int, float]]:
    """Index and score of each chosen sentence, the best first.

    Scores only fall, so that the top of the heap is the best as soon as it is up to date.
    """
    heap = [(-_score(sentence, chances, index), index, 0) for index, sentence in enumerate(words)]
    heapq.heapify(heap)
    chosen: list[tuple[int, float]] = []
    while heap and len(chosen) < wanted:
        negative, index, seen = heapq.heappop(heap)
        if seen < len(chosen):
            heapq.heappush(heap, (-_score(words[index], chances, index), index, len(chosen)))
            continue
        chosen.append((index, -negative))
        for stem in set(words[index]):
            chances[stem] **= 2
    return chosen


def _score(sentence: Sequence[str], chances: dict[str, float], index: int) -> float:
    if not sentence:
        return 0.0
    mean = sum(chances[stem] for stem in sentence) / max(len(sentence), _SHORT)
    return mean if index else mean * _FIRST
