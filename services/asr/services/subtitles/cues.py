"""How a transcript is cut: into cues that can be read, and into the turns of its speakers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.asr.models.transcript import Transcript, Word

MAX_CUE_CHARACTERS = 84
"""Two lines of 42, the usual bound of readable subtitles."""
MAX_CUE_S = 7.0
MIN_CUE_S = 0.2


@dataclass(frozen=True, slots=True)
class Cue:
    """A piece of a transcript: one line of text, in the words of at most one speaker."""

    start: float
    end: float
    text: str
    confidence: float
    speaker: str | None = None
    channel: int | None = None


def cues(transcript: Transcript) -> Iterator[Cue]:
    """Lines that can be read in the time they are shown."""
    yield from _cut(transcript, _overfull)


def turns(transcript: Transcript) -> Iterator[Cue]:
    """The utterances; where speakers are known, each is of one."""
    for one in transcript.utterances:
        text = " ".join(one.text.split())
        yield Cue(one.start, one.end, text, one.confidence, one.speaker, one.channel)


def _cut(transcript: Transcript, full: Callable[[Sequence[Word], Word], bool]) -> Iterator[Cue]:
    """The words in lines, by their begin: a new one where the speaker changes, or it is full.

    Each channel has lines of its own: those who speak at once would mix word by word.
    """
    if not transcript.words:
        yield from turns(transcript)
        return
    channels: dict[int | None, list[Word]] = {}
    for word in transcript.words:
        channels.setdefault(word.channel, []).append(word)
    found = (cue for words in channels.values() for cue in _lines(words, full))
    yield from sorted(found, key=lambda cue: cue.start)


def _lines(words: Sequence[Word], full: Callable[[Sequence[Word], Word], bool]) -> Iterator[Cue]:
    line: list[Word] = []
    for word in words:
        if line and (line[-1].speaker != word.speaker or full(line, word)):
            yield _cue(line)
            line = []
        line.append(word)
    yield _cue(line)


def _overfull(line: Sequence[Word], word: Word) -> bool:
    characters = sum(len(one.word) + 1 for one in line) + len(word.word)
    return characters > MAX_CUE_CHARACTERS or word.end - line[0].start > MAX_CUE_S


def _cue(line: Sequence[Word]) -> Cue:
    start = line[0].start
    return Cue(
        start=start,
        end=max(line[-1].end, start + MIN_CUE_S),
        # One line: an empty one would end the cue for a reader of subtitles.
        text=" ".join(part for word in line for part in word.word.split()),
        confidence=min(word.confidence for word in line),
        speaker=line[0].speaker,
        channel=line[0].channel,
    )
