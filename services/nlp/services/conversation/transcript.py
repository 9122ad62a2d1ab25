"""A call in the order of time: turns, their words, and the phrases in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.nlp.models.conversation import Segment
from services.nlp.services.conversation.document import HESITATIONS, RulesDocument
from services.nlp.services.conversation.phrases import Hit, PhraseBook, plain_words
from services.nlp.services.conversation.words import (
    BOUNDARIES,
    Word,
    without_hesitation,
    words_of,
)

_MURMUR_WORDS, _MURMUR_S = 2, 1.5


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules made ready for use.

    Attributes:
        version: Goes into every moment.
        book: All phrase lists of the document.
        hesitations: Words that mean nothing.
    """

    version: str
    document: RulesDocument
    book: PhraseBook
    hesitations: frozenset[str]

    @classmethod
    def of(cls, version: str, document: RulesDocument) -> "RuleSet":
        """The rules of a document."""
        lists = {name: found for name, found in document.lists.items() if name != HESITATIONS}
        return cls(version, document, PhraseBook(lists), plain_words(document.lists[HESITATIONS]))


@dataclass(frozen=True, slots=True)
class Said:
    """A segment with its words.

    Attributes:
        words: What means something.
        hesitations: How many words mean nothing.
        hits: First and last word of each phrase, by list.
        spoken: How many words mean something; `don't` is one.
    """

    segment: Segment
    words: tuple[Word, ...]
    hesitations: int
    hits: Mapping[str, Sequence[tuple[Word, Word]]]
    spoken: int

    @property
    def seconds(self) -> float:
        """Of the segment."""
        return self.segment.end - self.segment.start

    @property
    def is_murmur(self) -> bool:
        """Whether it is no turn of its own: `okay`, `mm-hmm`."""
        if not self.spoken:
            return bool(self.hesitations)
        return self.spoken <= _MURMUR_WORDS and self.seconds <= _MURMUR_S

    def quotes(self, names: Sequence[str]) -> list[tuple[int, int]]:
        """Where in the text phrases of these lists stand, in order."""
        return sorted(
            {(first.start, last.end) for name in names for first, last in self.hits.get(name, ())}
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says until another one speaks."""

    speaker: str
    said: tuple[Said, ...]

    @property
    def start(self) -> float:
        """Seconds."""
        return self.said[0].segment.start

    @property
    def end(self) -> float:
        """Seconds; a short segment may lie inside of a longer one."""
        return max(one.segment.end for one in self.said)

    @property
    def is_murmur(self) -> bool:
        """Whether nothing in it is a turn of its own."""
        return all(one.is_murmur for one in self.said)

    def has(self, names: Sequence[str]) -> bool:
        """Whether a phrase of these lists is said."""
        return any(name in one.hits for one in self.said for name in names)


@dataclass(frozen=True, slots=True)
class Transcript:
    """All segments in the order of time.

    Attributes:
        speaks: Whether the rules know the language.
        start: Of the first segment, seconds.
        end: Of the last one.
    """

    turns: tuple[Turn, ...]
    speaks: bool
    start: float
    end: float
    speakers: tuple[str, ...] = field(default=())

    @property
    def duration(self) -> float:
        """From the first word to the last one."""
        return self.end - self.start

    def said(self, speakers: frozenset[str] | None = None) -> Iterator[Said]:
        """The segments of some speakers, or of all."""
        for turn in self.turns:
            if speakers is None or turn.speaker in speakers:
                yield from turn.said

    def share(self, moment: float) -> float:
        """How far into the call a moment is, 0 to 1."""
        return (moment - self.start) / self.duration if self.duration else 0.0


def read_transcript(segments: Sequence[Segment], language: str, rules: RuleSet) -> Transcript:
    """The call as rules see it.

    Args:
        segments: At least one, in any order.
        language: ISO 639 code; no phrase is looked for in a language that the rules do not know.
        rules: Whose phrases are looked for.
    """
    speaks = language in rules.document.languages
    ordered = sorted(segments, key=lambda one: (one.start, one.end, one.index))
    grouped: list[list[Segment]] = []
    for segment in ordered:
        if grouped and grouped[-1][0].speaker == segment.speaker:
            grouped[-1].append(segment)
        else:
            grouped.append([segment])
    return Transcript(
        turns=tuple(_turn(group, rules if speaks else None) for group in grouped),
        speaks=speaks,
        start=ordered[0].start,
        end=max(one.end for one in ordered),
        speakers=tuple(dict.fromkeys(one.speaker for one in sorted(segments, key=_by_index))),
    )


def _by_index(segment: Segment) -> int:
    return segment.index


def _turn(group: Sequence[Segment], rules: RuleSet | None) -> Turn:
    """Phrases may begin in one segment and end in the next: recognition cuts where one breathes."""
    words: list[Word] = []
    counts: dict[int, int] = {}
    for segment in group:
        own = list(words_of(segment.text, segment.index))
        kept = own if rules is None else without_hesitation(own, rules.hesitations)
        hesitations = frozenset() if rules is None else rules.hesitations
        counts[segment.index] = sum(word.text in hesitations for word in own)
        words += kept
    own_words: dict[int, list[Word]] = {segment.index: [] for segment in group}
    for word in words:
        own_words[word.segment].append(word)
    hits: dict[int, dict[str, list[tuple[Word, Word]]]] = {segment.index: {} for segment in group}
    found: list[Hit] = [] if rules is None else rules.book.find([word.text for word in words])
    for hit in found:
        first, last = words[hit.first], words[hit.last]
        if last.segment != first.segment:
            last = own_words[first.segment][-1]
        hits[first.segment].setdefault(hit.list_name, []).append((first, last))
    said = tuple(
        Said(segment, tuple(own), counts[segment.index], hits[segment.index], _count(own))
        for segment, own in ((segment, own_words[segment.index]) for segment in group)
    )
    return Turn(group[0].speaker, said)


def _count(words: Sequence[Word]) -> int:
    # Two words that one was written out to have one place.
    return len({word.start for word in words if word.text not in BOUNDARIES})
