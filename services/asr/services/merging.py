"""Joins the recognitions of segments into one transcript with the audio's own times."""

from collections.abc import Sequence
from dataclasses import replace

from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.models.transcript import Recognition, Transcript, Utterance, Word
from services.asr.services.alternatives import word_alternatives

_TIME_DIGITS = 3
_CONFIDENCE_DIGITS = 4


def merge(
    segments: Sequence[Span], recognitions: Sequence[Recognition], total: int, *, best_tokens: int
) -> Transcript:
    """The transcript of an audio item.

    Args:
        segments: What was sent to the model, in order.
        recognitions: The model's answers, in the same order.
        total: Samples of the whole audio.
        best_tokens: Readings of each word; 0 for none.
    """
    words: list[Word] = []
    utterances: list[Utterance] = []
    for segment, found in zip(segments, recognitions, strict=True):
        if not found.text:
            continue
        placed = place(found.words, segment)
        words.extend(placed)
        utterances.append(
            Utterance(
                start=placed[0].start if placed else _seconds(segment.start),
                end=placed[-1].end if placed else _seconds(segment.end),
                text=found.text,
                confidence=found.confidence,
            )
        )
    alternatives = None
    if best_tokens:
        alternatives = tuple(
            one for found in recognitions for one in word_alternatives(found, best_tokens)
        )
    return Transcript(
        text=" ".join(utterance.text for utterance in utterances),
        words=tuple(words),
        utterances=tuple(utterances),
        confidence=confidence(words, utterances),
        duration=_seconds(total),
        alternatives=alternatives,
    )


def merge_channels(channels: Sequence[Transcript]) -> Transcript:
    """One transcript of a recording whose channels were recognized apart.

    Words and utterances carry the number of their channel and are in the order of their begin;
    the text is that of the utterances, so that two who speak at once stay readable.
    """
    words = [
        replace(word, channel=channel)
        for channel, found in enumerate(channels)
        for word in found.words
    ]
    utterances = [
        replace(utterance, channel=channel)
        for channel, found in enumerate(channels)
        for utterance in found.utterances
    ]
    # Sorting is stable: each channel keeps its own order.
    words.sort(key=lambda word: word.start)
    utterances.sort(key=lambda utterance: utterance.start)
    alternatives = [one for found in channels for one in found.alternatives or ()]
    return Transcript(
        text=" ".join(utterance.text for utterance in utterances),
        words=tuple(words),
        utterances=tuple(utterances),
        confidence=confidence(words, utterances),
        duration=max(found.duration for found in channels),
        alternatives=None if channels[0].alternatives is None else tuple(alternatives),
    )


def place(words: Sequence[Word], segment: Span) -> list[Word]:
    """Words in the time of the whole audio, kept inside their segment and in order."""
    offset, limit = segment.start / SAMPLE_RATE, segment.end / SAMPLE_RATE
    placed: list[Word] = []
    previous = offset
    for word in words:
        start = min(max(offset + word.start, previous), limit)
        end = min(max(offset + word.end, start), limit)
        previous = end
        placed.append(
            Word(
                word.word,
                round(start, _TIME_DIGITS),
                round(end, _TIME_DIGITS),
                round(word.confidence, _CONFIDENCE_DIGITS),
            )
        )
    return placed


def confidence(words: Sequence[Word], utterances: Sequence[Utterance]) -> float:
    """The mean over the words; of a model without words, over the utterances by length."""
    if words:
        return round(sum(word.confidence for word in words) / len(words), _CONFIDENCE_DIGITS)
    weights = [len(utterance.text) for utterance in utterances]
    if not sum(weights):
        return 0.0
    weighted = sum(
        utterance.confidence * weight for utterance, weight in zip(utterances, weights, strict=True)
    )
    return round(weighted / sum(weights), _CONFIDENCE_DIGITS)


def _seconds(samples: int) -> float:
    return round(samples / SAMPLE_RATE, _TIME_DIGITS)
