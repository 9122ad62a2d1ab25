"""From segments and rules to findings: pure, and the same for the same input."""

from collections.abc import Mapping, Sequence

from services.nlp.models.conversation import (
    Findings,
    Moment,
    Role,
    Segment,
    Severity,
    SkippedRule,
    SpeakerRole,
)
from services.nlp.services.conversation.detectors import DETECT, Candidate, Scene, unfinished_words
from services.nlp.services.conversation.document import MentionRule, MetricRule, Rule
from services.nlp.services.conversation.metrics import measure
from services.nlp.services.conversation.moods import mood_of
from services.nlp.services.conversation.quotes import quote
from services.nlp.services.conversation.roles import assign_roles
from services.nlp.services.conversation.transcript import RuleSet, Transcript, read_transcript

ROLE_UNKNOWN = "role_unknown"
LANGUAGE_UNSUPPORTED = "language_unsupported"
SENTIMENT_MISSING = "sentiment_missing"
_RANK: Mapping[Severity, int] = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_NEEDS_WORDS = frozenset(("questions", "mention", "missing"))
_Rank = tuple[int, int, float, float, str, int]


def analyze(
    segments: Sequence[Segment], language: str, given: Mapping[str, Role], rules: RuleSet
) -> Findings:
    """Figures and moments of a call; the most important moment is the first.

    Args:
        segments: At least one, in any order; overlaps are what they are in a call.
        language: ISO 639 code.
        given: Roles that are known.
        rules: In force for this call.
    """
    transcript = read_transcript(segments, language, rules)
    roles = assign_roles(transcript, given)
    moments: list[tuple[_Rank, Moment]] = []
    skipped: list[SkippedRule] = []
    unfinished = unfinished_words(rules)
    for rule in rules.document.rules:
        if not rule.enabled:
            continue
        scene = _scene(rule, transcript, rules, roles, unfinished)
        reason = _obstacle(rule, scene)
        if reason:
            skipped.append(SkippedRule(rule.id, reason))
            continue
        found = [(_rank(rule, one), one) for one in DETECT[rule.detector](rule, scene)]
        found.sort(key=lambda ranked: ranked[0])
        # Quoting costs more than finding: only what is kept is quoted.
        moments += [(rank, _moment(rule, one, rules.version)) for rank, one in found[: rule.most]]
    moments.sort(key=lambda ranked: ranked[0])
    return Findings(
        rules_version=rules.version,
        roles=roles,
        sentiment=mood_of(list(transcript.said())),
        metrics=measure(transcript, rules, {one.speaker: one.role for one in roles}),
        moments=tuple(moment for _, moment in moments),
        skipped=tuple(skipped),
    )


def _scene(
    rule: Rule,
    transcript: Transcript,
    rules: RuleSet,
    roles: Sequence[SpeakerRole],
    unfinished: frozenset[str],
) -> Scene:
    everybody = frozenset(transcript.speakers)
    if rule.speaker == "any":
        return Scene(transcript, rules, everybody, everybody, unfinished)
    wanted = Role(rule.speaker)
    other = Role.CUSTOMER if wanted is Role.AGENT else Role.AGENT
    sides = {
        role: frozenset(one.speaker for one in roles if one.role is role)
        for role in (wanted, other)
    }
    return Scene(transcript, rules, sides[wanted], sides[other], unfinished)


def _obstacle(rule: Rule, scene: Scene) -> str | None:
    """Why a rule cannot be applied to this call."""
    needs_words = rule.detector in _NEEDS_WORDS or (
        isinstance(rule, MetricRule) and rule.metric == "filler_rate"
    )
    if needs_words and not scene.transcript.speaks:
        return LANGUAGE_UNSUPPORTED
    needs_others = isinstance(rule, MentionRule) and rule.answer is not None
    if not scene.speakers or (needs_others and not scene.others):
        return ROLE_UNKNOWN
    if rule.detector == "mood_drop" and not any(
        said.segment.feeling for said in scene.transcript.said()
    ):
        return SENTIMENT_MISSING
    return None


def _rank(rule: Rule, candidate: Candidate) -> _Rank:
    return (
        _RANK[candidate.severity or rule.severity],
        -rule.weight,
        -round(candidate.strength, 3),
        _start(candidate),
        rule.id,
        candidate.said.segment.index,
    )


def _start(candidate: Candidate) -> float:
    start = candidate.said.segment.start if candidate.start is None else candidate.start
    return round(start, 3)


def _moment(rule: Rule, candidate: Candidate, version: str) -> Moment:
    segment = candidate.said.segment
    return Moment(
        rule_id=rule.id,
        rule_version=version,
        severity=candidate.severity or rule.severity,
        speaker=segment.speaker,
        segment=segment.index,
        start=_start(candidate),
        end=round(segment.end if candidate.end is None else candidate.end, 3),
        quote=quote(candidate.said, candidate.at),
        advice=candidate.advice or rule.advice,
        evidence=candidate.evidence,
    )
