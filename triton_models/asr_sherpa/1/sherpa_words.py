"""From a model's tokens to words with times."""

import math
from typing import Any, Dict, List, Sequence

# A token stands for at most so much speech; the end of a word is not told.
TOKEN_SECONDS = 0.25

Word = Dict[str, Any]


def words_of(
    tokens: Sequence[str],
    times: Sequence[float],
    scores: Sequence[float],
    text: str,
    offset: float,
    limit: float,
) -> List[Word]:
    """Join tokens to words; none where the tokens do not tell the text or its times.

    Args:
        tokens: as the model has them: ``▁`` or a space begins a word, ``@@`` continues one; a
            model without either has a word a token.
        times: of each token's start, seconds in the piece.
        scores: natural logarithm of each token's probability; empty when unknown.
        text: what the tokens say.
        offset: of the piece in the recording, seconds.
        limit: its end there; no time exceeds it.
    """
    if len(times) != len(tokens):
        return []
    groups = _groups(tokens)
    spelled = ["".join(_plain(tokens[index]) for index in group).strip() for group in groups]
    if "".join(spelled) != "".join(text.split()):
        return []  # Bytes in place of characters, or a text that was rewritten.
    words: List[Word] = []
    starts = [offset + times[group[0]] for group in groups] + [limit]
    for index, (group, word) in enumerate(zip(groups, spelled, strict=True)):
        start = min(max(starts[index], words[-1]["end"] if words else offset), limit)
        last = offset + times[group[-1]] + TOKEN_SECONDS
        end = min(max(min(last, starts[index + 1]), start), limit)
        words.append(
            {
                "word": word,
                "start": round(start, 3),
                "end": round(end, 3),
                "confidence": _confidence([scores[one] for one in group] if scores else []),
            }
        )
    return words


def _groups(tokens: Sequence[str]) -> List[List[int]]:
    """The indexes of each word's tokens; those that say nothing are left out."""
    marked = any(token.startswith(("▁", " ")) for token in tokens)
    groups: List[List[int]] = []
    glued = False
    for index, token in enumerate(tokens):
        begins = token.startswith(("▁", " ")) if marked else not glued
        if groups and not begins:
            groups[-1].append(index)
        else:
            groups.append([index])
        glued = token.endswith("@@")
    return [group for group in groups if "".join(_plain(tokens[i]) for i in group).strip()]


def _plain(token: str) -> str:
    return token.replace("▁", " ").removesuffix("@@")


def _confidence(scores: Sequence[float]) -> float:
    """The mean probability; 0 where it is not known."""
    if not scores:
        return 0.0
    mean = sum(math.exp(min(score, 0.0)) for score in scores) / len(scores)
    return round(mean, 4)
