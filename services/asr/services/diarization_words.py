"""Speakers into transcripts: of each word by overlap, utterances cut where the speaker changes."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from services.asr.models.speakers import Diarization, SpeakerSegment
from services.asr.models.transcript import Transcript, Utterance, Word
from services.asr.services.merging import confidence


def with_speakers(found: Transcript, diarization: Diarization) -> Transcript:
    """The transcript with speakers; without any, as it was, but for the empty list of them.

    The text of an utterance that is cut is that of its words. A model without words has
    utterances with the speaker of their greater part, uncut.
    """
    segments = diarization.segments
    if not segments:
        return replace(found, speakers=())
    starts = [segment.start_time for segment in segments]
    words = tuple(
        replace(word, speaker=_speaker(word.start, word.end, segments, starts))
        for word in found.words
    )
    utterances: list[Utterance] = []
    for utterance, own in zip(found.utterances, _by_utterance(found, words), strict=True):
        turns = list(_turns(own))
        if len(turns) > 1:
            utterances += [
                Utterance(
                    turn[0].start,
                    turn[-1].end,
                    " ".join(word.word for word in turn),
                    confidence(turn, ()),
                    utterance.channel,
                    turn[0].speaker,
                )
                for turn in turns
            ]
        else:
            speaker = (
                own[0].speaker
                if own
                else _speaker(utterance.start, utterance.end, segments, starts)
            )
            utterances.append(replace(utterance, speaker=speaker))
    return replace(found, words=words, utterances=tuple(utterances), speakers=diarization.speakers)


def _speaker(
    start: float, end: float, segments: Sequence[SpeakerSegment], starts: Sequence[float]
) -> str:
    """Who speaks most of the time from `start` to `end`; in silence, who is nearest."""
    last = max(bisect_right(starts, end), 1)
    first = max(bisect_right(starts, start) - 1, 0)
    # Beside what overlaps, the neighbours: one of them may be nearer.
    around = segments[max(first - 1, 0) : last + 1]
    overlaps: dict[str, float] = {}
    for segment in around:
        inside = min(end, segment.end_time) - max(start, segment.start_time)
        if inside > 0:
            overlaps[segment.speaker] = overlaps.get(segment.speaker, 0.0) + inside
    if overlaps:
        return max(overlaps, key=lambda speaker: overlaps[speaker])
    middle = (start + end) / 2
    return min(
        around,
        key=lambda segment: max(segment.start_time - middle, middle - segment.end_time),
    ).speaker


def _by_utterance(found: Transcript, words: Sequence[Word]) -> list[list[Word]]:
    """The words of each utterance, by their begin; the first has what is before any."""
    groups: list[list[Word]] = [[] for _ in found.utterances]
    place = 0
    for word in words if groups else ():
        while place + 1 < len(groups) and found.utterances[place + 1].start <= word.start:
            place += 1
        groups[place].append(word)
    return groups


def _turns(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    begin = 0
    for place, (one, other) in enumerate(pairwise(words), start=1):
        if one.speaker != other.speaker:
            yield words[begin:place]
            begin = place
    if words:
        yield words[begin:]
