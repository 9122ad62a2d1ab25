"""What the rules can look for. Each detector gives candidates; `analyze` makes moments of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.nlp.models.conversation import Severity
from services.nlp.services.conversation import metrics, timing
from services.nlp.services.conversation.document import (
    FILLERS,
    UNFINISHED,
    AnswerTest,
    InterruptionRule,
    MentionRule,
    MetricRule,
    MissingRule,
    MonologueRule,
    MoodRule,
    QuestionsRule,
    ResponseRule,
    Span,
)
from services.nlp.services.conversation.phrases import plain_words
from services.nlp.services.conversation.questions import questions_in
from services.nlp.services.conversation.quotes import matched
from services.nlp.services.conversation.transcript import RuleSet, Said, Transcript, Turn

_MIN_WORDS = 8
"""A segment of fewer says nothing of how fast one speaks."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a rule fires.

    Attributes:
        said: The segment to quote.
        at: Characters of it that the quote must hold.
        strength: How far beyond the rule's bound; 1 where there is none to pass.
        start: Of the part to listen to; that of the segment where absent, likewise `end`.
        severity: In place of the rule's own; likewise `advice`.
    """

    said: Said
    evidence: Mapping[str, Any]
    at: tuple[int, int] | None = None
    strength: float = 1.0
    start: float | None = None
    end: float | None = None
    severity: Severity | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a rule looks at.

    Attributes:
        speakers: On the rule's side.
        others: On the other side.
    """

    transcript: Transcript
    rules: RuleSet
    speakers: frozenset[str]
    others: frozenset[str]
    unfinished: frozenset[str] = field(default=frozenset())

    def own(self, part: Span | None = None) -> Iterator[Said]:
        """Segments of the rule's side that begin in a part of the call."""
        for said in self.transcript.said(self.speakers):
            if part is None or self.within(said, part):
                yield said

    def within(self, said: Said, part: Span) -> bool:
        """Whether a segment begins in a part of the call."""
        return part.start <= self.transcript.share(said.segment.start) <= part.end


Detector = Callable[[Any, Scene], Iterator[Candidate]]


def monologue(rule: MonologueRule, scene: Scene) -> Iterator[Candidate]:
    """Stretches of talk that are too long; the longest segment is quoted."""
    for one in timing.monologues(scene.transcript):
        if one.speaker in scene.speakers and one.seconds > rule.longer_than_s:
            yield Candidate(
                max(one.said, key=_seconds),
                {"seconds": round(one.seconds, 1), "limit": rule.longer_than_s},
                strength=one.seconds / rule.longer_than_s,
                start=one.said[0].segment.start,
                end=one.end,
            )


def metric(rule: MetricRule, scene: Scene) -> Iterator[Candidate]:
    """A figure of a speaker beyond its bound; what shows it best is quoted."""
    total = sum(metrics.talk_seconds(said) for said in _by_speaker(scene.transcript).values())
    for speaker, said in _by_speaker(scene.transcript).items():
        talk = metrics.talk_seconds(said)
        if speaker not in scene.speakers or not said or talk < rule.min_talk_s:
            continue
        value: float | None
        if rule.metric == "talk_ratio":
            value, shown = round(talk / total, 4) if total else 0.0, max(said, key=_seconds)
        elif rule.metric == "filler_rate":
            value, shown = metrics.filler_rate(said), max(said, key=_fillers)
        else:
            value, shown = metrics.words_per_minute(said), max(said, key=_speed)
        if value is None:
            continue
        evidence = {"metric": rule.metric, "value": value}
        if rule.above is not None and value > rule.above:
            strength = value / rule.above if rule.above else 2.0
            yield Candidate(shown, {**evidence, "above": rule.above}, strength=strength)
        elif rule.below is not None and value < rule.below:
            yield Candidate(shown, {**evidence, "below": rule.below})


def questions(rule: QuestionsRule, scene: Scene) -> Iterator[Candidate]:
    """Too few questions in a part of the call; the longest segment there is quoted."""
    transcript = scene.transcript
    own = list(scene.own(rule.part))
    if not own or transcript.duration < rule.min_duration_s:
        return
    asked = [questions_in(said) for said in own]
    count = sum(opened + (closed if rule.kind == "any" else 0) for opened, closed in asked)
    minutes = transcript.duration * (rule.part.end - rule.part.start) / 60
    needed = max(rule.fewer_than, int(rule.per_10_minutes * minutes / 10))
    if count < needed:
        evidence = {"kind": rule.kind, "asked": count, "expected": needed}
        yield Candidate(max(own, key=_seconds), evidence, strength=1 + (needed - count) / needed)


def interruption(rule: InterruptionRule, scene: Scene) -> Iterator[Candidate]:
    """Where the rule's side cuts in on the other one."""
    for cut in timing.cuts(scene.transcript, scene.unfinished, rule.min_overlap_s):
        by, of = cut.by.segment, cut.of.segment
        if by.speaker in scene.speakers and of.speaker in (scene.others or {of.speaker}):
            yield Candidate(
                cut.by,
                {
                    "overlap_seconds": round(cut.overlap, 2),
                    "interrupted_speaker": of.speaker,
                    "interrupted_segment": of.index,
                },
                strength=1 + cut.overlap,
                start=min(of.end, by.start),
            )


def slow_response(rule: ResponseRule, scene: Scene) -> Iterator[Candidate]:
    """Where the rule's side keeps the other one waiting."""
    for response in timing.responses(scene.transcript):
        answer = response.answer
        if answer.speaker in scene.speakers and response.seconds > rule.longer_than_s:
            yield Candidate(
                answer.said[0],
                {"seconds": round(response.seconds, 2), "limit": rule.longer_than_s},
                strength=response.seconds / rule.longer_than_s,
                start=answer.start - response.seconds,
            )


def mention(rule: MentionRule, scene: Scene) -> Iterator[Candidate]:
    """Phrases that the rule's side says; one candidate a turn."""
    raised = False
    turns = scene.transcript.turns
    answers = _next_of(turns, scene.others)
    for turn, answer in zip(turns, answers, strict=True):
        if turn.speaker not in scene.speakers:
            raised = raised or turn.has(rule.unless_raised)
            continue
        if raised:
            return
        said = next((one for one in turn.said if one.quotes(rule.phrases)), None)
        if said is None or not scene.within(said, rule.part):
            continue
        evidence: dict[str, Any] = {"phrases": matched(said, rule.phrases)}
        at = said.quotes(rule.phrases)[0]
        if rule.answer is None:
            yield Candidate(said, evidence, at)
            continue
        takes_up = None if answer is None else _takes_up(answer, rule.answer)
        evidence |= {"answered": takes_up is not None}
        if takes_up is None:
            severity, advice = rule.answer.severity_unanswered, rule.answer.advice_unanswered
            yield Candidate(said, evidence, at, severity=severity, advice=advice)
        elif not rule.answer.only_unanswered:
            yield Candidate(said, {**evidence, "answer_segment": takes_up.segment.index}, at)


def _next_of(turns: Sequence[Turn], speakers: frozenset[str]) -> list[Turn | None]:
    """For each turn, the next one of these speakers; murmurs are none."""
    following: Turn | None = None
    found: list[Turn | None] = []
    for turn in reversed(turns):
        found.append(following)
        if turn.speaker in speakers and not turn.is_murmur:
            following = turn
    return found[::-1]


def _takes_up(turn: Turn, test: AnswerTest) -> Said | None:
    """The segment that takes up what was said before; None where it is passed over."""
    for said in turn.said:
        if said.quotes(test.deflections):
            return None
        if said.quotes(test.phrases) or (test.open_question and questions_in(said)[0]):
            return said
    return None


def missing(rule: MissingRule, scene: Scene) -> Iterator[Candidate]:
    """What nobody of the rule's side says in a part of the call; its last segment is quoted."""
    own = [said for said in scene.own(rule.part) if said.words]
    if not own or scene.transcript.duration < rule.min_duration_s:
        return
    if not any(said.quotes(rule.phrases) for said in own):
        evidence = {"lists": rule.phrases, "from_share": rule.part.start, "to_share": rule.part.end}
        yield Candidate(own[-1], evidence)


def mood_drop(rule: MoodRule, scene: Scene) -> Iterator[Candidate]:
    """Segments far below what the same speaker's last ones were."""
    last: dict[str, list[float]] = {}
    for said in scene.own():
        feeling = said.segment.feeling
        if feeling is None:
            continue
        before = last.setdefault(said.segment.speaker, [])
        says_so = not rule.phrases or bool(said.quotes(rule.phrases))
        if before and says_so and feeling.score <= rule.below and said.spoken >= rule.min_words:
            usual = sum(before) / len(before)
            if usual - feeling.score >= rule.drop:
                evidence: dict[str, Any] = {"score": feeling.score, "before": round(usual, 4)}
                evidence |= {"phrases": matched(said, rule.phrases)} if rule.phrases else {}
                yield Candidate(said, evidence, strength=1 + usual - feeling.score)
        before.append(feeling.score)
        del before[: -rule.before]


DETECT: Mapping[str, Detector] = {
    "monologue": monologue,
    "metric": metric,
    "questions": questions,
    "interruption": interruption,
    "slow_response": slow_response,
    "mention": mention,
    "missing": missing,
    "mood_drop": mood_drop,
}


def unfinished_words(rules: RuleSet) -> frozenset[str]:
    """Words after which a sentence is not at its end."""
    return plain_words(rules.document.lists[UNFINISHED])


def _by_speaker(transcript: Transcript) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {speaker: [] for speaker in transcript.speakers}
    for said in transcript.said():
        found[said.segment.speaker].append(said)
    return found


def _seconds(said: Said) -> float:
    return said.seconds


def _fillers(said: Said) -> int:
    return said.hesitations + len(said.hits.get(FILLERS, ()))


def _speed(said: Said) -> float:
    if said.spoken < _MIN_WORDS or not said.seconds:
        return 0.0
    return said.spoken / said.seconds
