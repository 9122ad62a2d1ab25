"""The figures of a call."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from services.nlp.models.conversation import (
    CallMetrics,
    Questions,
    ResponseTimes,
    Role,
    SpeakerMetrics,
    Stretch,
)
from services.nlp.services.conversation.document import FILLERS, UNFINISHED
from services.nlp.services.conversation.moods import mood_of
from services.nlp.services.conversation.phrases import plain_words
from services.nlp.services.conversation.questions import questions_in
from services.nlp.services.conversation.timing import (
    MIN_OVERLAP_S,
    Monologue,
    cuts,
    monologues,
    responses,
    union_seconds,
)
from services.nlp.services.conversation.transcript import RuleSet, Said, Transcript

_MIN_TALK_S = 1.0
"""Too little for a rate."""


def measure(transcript: Transcript, rules: RuleSet, roles: Mapping[str, Role]) -> CallMetrics:
    """All figures; times in seconds to the millisecond."""
    everything = list(transcript.said())
    by_speaker: dict[str, list[Said]] = {speaker: [] for speaker in transcript.speakers}
    for said in everything:
        by_speaker[said.segment.speaker].append(said)
    unfinished = plain_words(rules.document.lists[UNFINISHED])
    cutters = [cut.by.segment.speaker for cut in cuts(transcript, unfinished, MIN_OVERLAP_S)]
    answers = list(responses(transcript))
    longest = longest_monologues(monologues(transcript))
    talk = {speaker: talk_seconds(said) for speaker, said in by_speaker.items()}
    total = sum(talk.values())
    speech = union_seconds((one.segment.start, one.segment.end) for one in everything)
    duration = transcript.duration
    speakers = tuple(
        SpeakerMetrics(
            speaker=speaker,
            role=roles[speaker],
            segments=len(said),
            words=sum(one.spoken + one.hesitations for one in said),
            talk_seconds=_seconds(talk[speaker]),
            talk_ratio=round(talk[speaker] / total, 4) if total else 0.0,
            longest_monologue=_stretch(longest.get(speaker)),
            interruptions=cutters.count(speaker),
            response_time=_times(one.seconds for one in answers if one.answer.speaker == speaker),
            questions=_questions(said, transcript),
            fillers=fillers(said) if transcript.speaks else None,
            filler_rate=filler_rate(said) if transcript.speaks else None,
            words_per_minute=words_per_minute(said),
            sentiment=mood_of(said),
        )
        for speaker, said in by_speaker.items()
    )
    switches = len(transcript.turns) - 1
    return CallMetrics(
        duration=_seconds(duration),
        speech_seconds=_seconds(speech),
        silence_share=round(max(0.0, 1 - speech / duration), 4) if duration else 0.0,
        overlap_seconds=_seconds(total - speech),
        switches=switches,
        switches_per_minute=round(60 * switches / duration, 2) if duration else 0.0,
        interruptions=len(cutters),
        response_time=_times(one.seconds for one in answers),
        questions=_questions(everything, transcript),
        longest_monologue=_stretch(max(longest.values(), key=_length, default=None)),
        speakers=speakers,
    )


def talk_seconds(said: Sequence[Said]) -> float:
    """Seconds of one speaker's talk; overlapping segments count once."""
    return union_seconds((one.segment.start, one.segment.end) for one in said)


def fillers(said: Iterable[Said]) -> int:
    """Hesitations and filler phrases."""
    return sum(one.hesitations + len(one.hits.get(FILLERS, ())) for one in said)


def filler_rate(said: Sequence[Said]) -> float | None:
    """Fillers in 100 words; None without a word."""
    words = sum(one.spoken + one.hesitations for one in said)
    return round(100 * fillers(said) / words, 2) if words else None


def words_per_minute(said: Sequence[Said]) -> float | None:
    """Of one speaker's talk; None for too little of it."""
    seconds = talk_seconds(said)
    if seconds < _MIN_TALK_S:
        return None
    return round(60 * sum(one.spoken + one.hesitations for one in said) / seconds, 1)


def longest_monologues(found: Iterable[Monologue]) -> dict[str, Monologue]:
    """Of each speaker; of equal ones, the first."""
    longest: dict[str, Monologue] = {}
    for one in found:
        known = longest.get(one.speaker)
        if known is None or one.seconds > known.seconds:
            longest[one.speaker] = one
    return longest


def _length(monologue: Monologue) -> float:
    return monologue.seconds


def _stretch(monologue: Monologue | None) -> Stretch | None:
    if monologue is None:
        return None
    start = monologue.said[0].segment.start
    return Stretch(_seconds(monologue.seconds), _seconds(start), _seconds(monologue.end))


def _questions(said: Iterable[Said], transcript: Transcript) -> Questions:
    if not transcript.speaks:
        return Questions(None, None)
    asked = [questions_in(one) for one in said]
    return Questions(sum(opened for opened, _ in asked), sum(closed for _, closed in asked))


def _times(seconds: Iterable[float]) -> ResponseTimes:
    found = list(seconds)
    if not found:
        return ResponseTimes(None, None)
    return ResponseTimes(_seconds(median(found)), _seconds(max(found)))


def _seconds(value: float) -> float:
    return round(value, 3)
