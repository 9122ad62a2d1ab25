"""Who speaks when: monologues, cuts, silences before answers. Linear in the segments."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.nlp.services.conversation.transcript import Said, Transcript, Turn

_BEGUN_S = 0.3
"""Who starts this little after another one did not hear them."""
_TAKEOVER_GAP_S = 0.15
_MIN_WORDS = 3
MIN_OVERLAP_S = 0.6
"""What counts as a cut in the figures; rules have a bound of their own."""


class Monologue(NamedTuple):
    """Segments of one speaker that nobody else's turn divides.

    Attributes:
        seconds: Of talk; overlapping segments count once.
    """

    speaker: str
    said: tuple[Said, ...]
    seconds: float

    @property
    def end(self) -> float:
        """Of the last word, seconds."""
        return max(one.segment.end for one in self.said)


class Cut(NamedTuple):
    """One speaker takes the word from another.

    Attributes:
        overlap: Seconds that both speak; 0 where the other one stopped in mid-sentence.
    """

    by: Said
    of: Said
    overlap: float


class Response(NamedTuple):
    """A change of speakers, with the silence before it in seconds."""

    asked: Turn
    answer: Turn
    seconds: float


def monologues(transcript: Transcript) -> Iterator[Monologue]:
    """All stretches, murmurs of the others left out."""
    held: list[Said] = []
    for said in transcript.said():
        if held and held[-1].segment.speaker != said.segment.speaker:
            if said.is_murmur:
                continue
            yield _monologue(held)
            held = []
        held.append(said)
    if held:
        yield _monologue(held)


def _monologue(said: Sequence[Said]) -> Monologue:
    spans = ((one.segment.start, one.segment.end) for one in said)
    return Monologue(said[0].segment.speaker, tuple(said), union_seconds(spans))


def union_seconds(spans: Iterator[tuple[float, float]]) -> float:
    """Seconds that spans in the order of their starts cover together."""
    total, reached = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def cuts(transcript: Transcript, unfinished: frozenset[str], min_overlap_s: float) -> Iterator[Cut]:
    """Where a speaker is talked down, or stops in mid-sentence because another one begins.

    What is short, and what ends before the other one does, is no cut: people agree aloud.
    """
    latest: dict[str, Said] = {}
    for said in transcript.said():
        segment = said.segment
        others = [one for speaker, one in latest.items() if speaker != segment.speaker]
        if others and said.spoken >= _MIN_WORDS:
            other = max(others, key=lambda one: one.segment.end)
            overlap = other.segment.end - segment.start
            begun = other.segment.start + _BEGUN_S <= segment.start
            takes_over = segment.end > other.segment.end and begun and not other.is_murmur
            if takes_over and overlap >= min_overlap_s:
                yield Cut(said, other, overlap)
            elif takes_over and overlap >= -_TAKEOVER_GAP_S and _breaks_off(other, unfinished):
                yield Cut(said, other, max(0.0, overlap))
        last = latest.get(segment.speaker)
        if last is None or segment.end >= last.segment.end:
            latest[segment.speaker] = said


def _breaks_off(said: Said, unfinished: frozenset[str]) -> bool:
    text = said.segment.text.rstrip()
    if text.endswith(("-", "–", "—", "...", "…")):
        return True
    return bool(said.words) and said.words[-1].text in unfinished


def responses(transcript: Transcript) -> Iterator[Response]:
    """Each change of speakers; murmurs neither answer nor are answered."""
    before: Turn | None = None
    reached = float("-inf")
    for turn in transcript.turns:
        if turn.is_murmur:
            reached = max(reached, turn.end)
            continue
        if before is not None and before.speaker != turn.speaker:
            yield Response(before, turn, max(0.0, turn.start - max(reached, before.end)))
        before = turn
        reached = max(reached, turn.end)
