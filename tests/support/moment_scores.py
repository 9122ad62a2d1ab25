"""How well found moments agree with those that a person marked."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from services.nlp.models.conversation import Feeling, Findings, Moment, Role, Segment
from services.nlp.services.conversation.analyze import analyze
from services.nlp.services.conversation.moods import label_of
from services.nlp.services.conversation.reading import builtin_document, parse_rules
from services.nlp.services.conversation.transcript import RuleSet
from tests.support.scripted_calls import Label, ScriptedCall


@dataclass
class Tally:
    """Counts of one rule."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Of those found, the share that a person marked."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of those that a person marked, the share that is found."""
        return self.right / max(1, self.right + self.missed)


@dataclass
class Agreement:
    """Of all calls."""

    rules: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    answers_right: int = 0
    answers: int = 0
    tops_right: int = 0
    tops: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def overall(self) -> Tally:
        """All rules together."""
        found = self.rules.values()
        return Tally(
            sum(one.right for one in found),
            sum(one.wrong for one in found),
            sum(one.missed for one in found),
        )

    def table(self) -> str:
        """The figures, a line a rule."""
        lines = [f"{'rule':26} right wrong missed precision recall"]
        for name, one in [*sorted(self.rules.items()), ("all", self.overall)]:
            lines.append(
                f"{name:26} {one.right:5} {one.wrong:5} {one.missed:6}"
                f" {one.precision:9.2f} {one.recall:6.2f}"
            )
        lines.append(f"objections judged answered or not: {self.answers_right} of {self.answers}")
        lines.append(f"most important moment as expected: {self.tops_right} of {self.tops}")
        return "\n".join([*lines, *self.errors])


def rules_for(call: ScriptedCall) -> RuleSet:
    """The product's rules with the competitors of a call."""
    return _rules(tuple(call.competitors))


@cache
def _rules(competitors: tuple[str, ...]) -> RuleSet:
    document = dict(builtin_document())
    document["lists"] = {**document["lists"], "competitors": list(competitors)}
    return RuleSet.of("1", parse_rules(document))


def segments_of(call: ScriptedCall, texts: Iterable[str] | None = None) -> list[Segment]:
    """The segments with the model's sentiment."""
    found = [
        Segment(
            index=index,
            speaker=one["speaker"],
            start=one["start"],
            end=one["end"],
            text=one["text"],
            feeling=Feeling(label_of(score), score),
        )
        for index, (one, score) in enumerate(zip(call.segments, call.scores, strict=True))
    ]
    if texts is None:
        return found
    return [replace(one, text=text) for one, text in zip(found, texts, strict=True)]


def found_by_rules(call: ScriptedCall, segments: Sequence[Segment]) -> Findings:
    """What the rules find, told who is who."""
    roles = {speaker: Role(role) for speaker, role in call.roles.items()}
    return analyze(segments, "en", roles, rules_for(call))


def agreement(
    calls: Iterable[ScriptedCall], find: Callable[[ScriptedCall], Sequence[Moment]]
) -> Agreement:
    """Compare what is found in each call with its labels."""
    result = Agreement()
    for call in calls:
        moments = list(find(call))
        if call.top:
            result.tops += 1
            result.tops_right += bool(moments) and moments[0].rule_id in call.top
        for label in call.labels:
            match = next((one for one in moments if _fits(call, label, one)), None)
            if match is None:
                result.rules[label.rule_id].missed += 1
                result.errors.append(f"missed: {call.name} {label.rule_id} {label.segment}")
                continue
            moments.remove(match)
            result.rules[label.rule_id].right += 1
            if label.answered is not None:
                result.answers += 1
                agrees = match.evidence["answered"] == label.answered
                result.answers_right += agrees
                if not agrees:
                    result.errors.append(f"answer: {call.name} {label.rule_id} {label.segment}")
        for moment in moments:
            result.rules[moment.rule_id].wrong += 1
            shown = f"{moment.rule_id} {moment.segment} {moment.evidence} {moment.quote[:60]}"
            result.errors.append(f"wrong:  {call.name} {shown}")
    return result


def _fits(call: ScriptedCall, label: Label, moment: Moment) -> bool:
    if label.rule_id != moment.rule_id:
        return False
    if label.segment is None or label.segment == moment.segment:
        return True
    marked = call.segments[label.segment]
    return moment.start <= marked["start"] and marked["end"] <= moment.end
