"""Exact quotes: a part of a segment's text, never a word changed."""

from services.nlp.services.conversation.transcript import Said
from services.nlp.services.summary import sentence_spans

MAX_QUOTE = 280
_SHOWN = 5


def quote(said: Said, at: tuple[int, int] | None = None) -> str:
    """The text of a segment; of a long one, the sentence around a place, cut at words.

    Args:
        said: The segment.
        at: Characters that must be in it.
    """
    text = said.segment.text
    if len(text) <= MAX_QUOTE:
        return text.strip()
    start, end = at or (0, 0)
    sentences = sentence_spans(text)
    begin = max((first for first, _ in sentences if first <= start), default=0)
    if end - begin > MAX_QUOTE:
        begin = _next_word(text, max(0, end - MAX_QUOTE), start)
    stop = min((last for _, last in sentences if last >= max(end, begin + 1)), default=len(text))
    if stop - begin > MAX_QUOTE:
        space = text.rfind(" ", end, begin + MAX_QUOTE)
        stop = space if space > 0 else begin + MAX_QUOTE
    return text[begin:stop].strip()


def _next_word(text: str, place: int, before: int) -> int:
    if place == 0:
        return 0
    space = text.find(" ", place, before)
    return space + 1 if space >= 0 else place


def matched(said: Said, names: list[str]) -> list[str]:
    """The words that phrases of these lists matched, as written; those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in said.quotes(names):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    found = (said.segment.text[start:end] for start, end in merged)
    return list(dict.fromkeys(found))[:_SHOWN]
