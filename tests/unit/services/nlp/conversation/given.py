"""Conversations in few words."""

from collections.abc import Iterable

from services.nlp.models.conversation import Feeling, Findings, Role, Segment
from services.nlp.services.conversation.analyze import analyze
from services.nlp.services.conversation.document import NEEDED_LISTS
from services.nlp.services.conversation.moods import label_of
from services.nlp.services.conversation.reading import builtin_document, parse_rules
from services.nlp.services.conversation.transcript import RuleSet, Transcript, read_transcript

RULES = RuleSet.of("builtin-1", parse_rules(builtin_document()))
ROLES = {"A": Role.AGENT, "C": Role.CUSTOMER}
Line = tuple[str, float, float, str] | tuple[str, float, float, str, float]


def segments(*lines: Line) -> list[Segment]:
    """Speaker, start, end, text and, where it is felt, the score of each segment."""
    return [
        Segment(
            index,
            line[0],
            line[1],
            line[2],
            line[3],
            Feeling(label_of(line[4]), line[4]) if len(line) == 5 else None,
        )
        for index, line in enumerate(lines)
    ]


def transcript(*lines: Line) -> Transcript:
    return read_transcript(segments(*lines), "en", RULES)


def talk(*texts: str, seconds: float = 5.0) -> list[Line]:
    """Agent and customer in turn, the agent first."""
    return [
        ("AC"[index % 2], index * seconds, index * seconds + seconds - 0.5, text)
        for index, text in enumerate(texts)
    ]


def findings(lines: Iterable[Line], rules: RuleSet = RULES, language: str = "en") -> Findings:
    return analyze(segments(*lines), language, ROLES, rules)


def rule_ids(found: Findings) -> list[str]:
    return [moment.rule_id for moment in found.moments]


def only(*rules: dict[str, object], **lists: list[str]) -> RuleSet:
    """A document with these rules and lists."""
    document = dict(builtin_document())
    document["lists"] = {**document["lists"], **lists}
    document["rules"] = [
        {"severity": "info", "advice": "Do better.", "speaker": "agent", **rule} for rule in rules
    ]
    # Making all lists ready takes longer than the tests do.
    wanted = {*NEEDED_LISTS, *(name for one in parse_rules(document).rules for name in one.lists())}
    document["lists"] = {name: document["lists"][name] for name in wanted}
    return RuleSet.of("7", parse_rules(document))
