"""Sentiment of speakers and calls, from that of their segments."""

from collections.abc import Sequence

from services.nlp.models.conversation import Mood
from services.nlp.services.conversation.transcript import Said

_LABEL = 0.05
"""Beyond it a score is positive or negative, as the model's authors have it."""
_TREND = 0.15
_FEWEST = 3


def mood_of(said: Sequence[Said]) -> Mood | None:
    """The mean of the scores, each weighing as much as its words; None where there is none."""
    felt = [(one.segment.feeling.score, max(1, one.spoken)) for one in said if one.segment.feeling]
    if not felt:
        return None
    score = _mean(felt)
    change = trend = None
    if len(felt) >= _FEWEST:
        third = len(felt) // 3
        change = round(_mean(felt[-third:]) - _mean(felt[:third]), 4)
        trend = "steady"
        if abs(change) >= _TREND:
            trend = "rising" if change > 0 else "falling"
    return Mood(label_of(score), score, change, trend)


def label_of(score: float) -> str:
    """`positive`, `neutral` or `negative`."""
    if abs(score) < _LABEL:
        return "neutral"
    return "positive" if score > 0 else "negative"


def _mean(felt: Sequence[tuple[float, int]]) -> float:
    return round(sum(score * words for score, words in felt) / sum(words for _, words in felt), 4)
