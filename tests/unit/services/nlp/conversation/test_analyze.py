import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.nlp.models.conversation import Role, Severity
from services.nlp.services.conversation.analyze import analyze
from services.nlp.services.conversation.quotes import MAX_QUOTE
from tests.unit.services.nlp.conversation.given import (
    ROLES,
    RULES,
    Line,
    findings,
    only,
    rule_ids,
    segments,
    talk,
)

PRICE = {
    "id": "price",
    "detector": "mention",
    "speaker": "customer",
    "phrases": ["objection_price"],
    "answer": {
        "phrases": ["answers"],
        "deflections": ["deflections"],
        "open_question": True,
        "severity_unanswered": "critical",
        "advice_unanswered": "Answer.",
    },
}


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        ("That is fair. It pays for itself in a year.", True),
        ("What do you compare it with?", True),
        ("Do you want one?", False),
        ("Our product is blue.", False),
        ("I understand. Anyway, it is blue.", False),
    ],
)
def test_whether_an_objection_is_answered(answer: str, *, answered: bool) -> None:
    (moment,) = findings(talk("Hello.", "That is too expensive.", answer), only(PRICE)).moments
    assert moment.evidence["answered"] is answered
    assert moment.severity is (Severity.INFO if answered else Severity.CRITICAL)
    assert moment.advice == ("Do better." if answered else "Answer.")
    assert moment.quote == "That is too expensive."
    assert moment.evidence["phrases"] == ["too expensive"]


def test_a_murmur_is_no_answer_and_the_last_word_has_none() -> None:
    lines = [
        *talk("Hello.", "That is too expensive.", "Hm.", "Really, it is.", "I understand you."),
        ("C", 30.0, 34.0, "It is out of our budget."),
    ]
    found = findings(lines, only(PRICE)).moments
    answered = {moment.segment: moment.evidence["answered"] for moment in found}
    assert answered == {1: True, 5: False}


def test_an_objection_that_recognition_cut_in_two() -> None:
    lines: list[Line] = [("C", 0, 2, "this is way too"), ("C", 2.2, 4, "expensive for us")]
    found = findings([*lines, ("A", 5, 6, "Okay, the next page.")], only(PRICE))
    (moment,) = found.moments
    assert (moment.segment, moment.quote) == (0, "this is way too")
    assert moment.evidence["phrases"] == ["way too"]


def test_who_asks_for_the_price_gets_it() -> None:
    rule = {
        "id": "early",
        "detector": "mention",
        "phrases": ["price"],
        "part": {"end": 0.5},
        "unless_raised": ["price_asked"],
    }
    calm = ["Fine.", "So.", "Good.", "Well.", "Yes."]
    assert rule_ids(findings(talk("It costs ten euros.", *calm), only(rule))) == ["early"]
    assert not rule_ids(findings(talk("Hi.", "How much?", "Ten euros.", *calm), only(rule)))
    assert not rule_ids(findings(talk(*calm, "Bye.", "It costs ten euros."), only(rule)))


def test_only_what_is_unanswered() -> None:
    answer = {"phrases": ["closing"], "only_unanswered": True}
    rule = {**PRICE, "phrases": ["buying_signal"], "answer": answer}
    signal = "How soon could you start?"
    assert rule_ids(findings(talk("Hi.", signal, "It is blue."), only(rule))) == ["price"]
    assert not rule_ids(findings(talk("Hi.", signal, "Shall we start on Monday?"), only(rule)))


def test_metrics_beyond_their_bounds() -> None:
    rules = only(
        {"id": "much", "detector": "metric", "metric": "talk_ratio", "above": 0.6},
        {"id": "little", "detector": "metric", "metric": "talk_ratio", "below": 0.95},
        {"id": "fast", "detector": "metric", "metric": "words_per_minute", "above": 100.0},
        {"id": "um", "detector": "metric", "metric": "filler_rate", "above": 5.0, "min_talk_s": 9},
    )
    lines: list[Line] = [("A", 0, 9, "one two three"), ("C", 10, 11, "Um, um, yes.")]
    found = {moment.rule_id: moment for moment in findings(lines, rules).moments}
    assert set(found) == {"much", "little"}
    assert found["much"].evidence == {"metric": "talk_ratio", "value": 0.9, "above": 0.6}


def test_a_mood_that_drops() -> None:
    rule = {
        "id": "mood",
        "detector": "mood_drop",
        "speaker": "customer",
        "below": -0.4,
        "drop": 0.5,
        "phrases": ["anger"],
    }
    worse = "I hate this so much."
    lines: list[Line] = [("C", 0, 2, "Good.", 0.5), ("A", 2, 3, "Yes."), ("C", 3, 5, worse, -0.6)]
    (moment,) = findings(lines, only(rule)).moments
    assert moment.evidence == {"score": -0.6, "before": 0.5, "phrases": ["hate"]}
    assert not findings(lines[1:], only(rule)).moments  # Nothing was better before.
    sober: Line = ("C", 3, 5, "The line was down again.", -0.6)
    assert not findings([*lines[:2], sober], only(rule)).moments
    none = [line[:4] for line in lines]
    assert findings(none, only(rule)).skipped[0].reason == "sentiment_missing"


def test_the_most_important_moment_is_the_first() -> None:
    rules = only(
        {"id": "a", "detector": "mention", "phrases": ["words"], "weight": 90},
        {"id": "b", "detector": "mention", "phrases": ["words"], "severity": "critical"},
        {"id": "c", "detector": "mention", "phrases": ["words"], "severity": "warning"},
        {"id": "d", "detector": "mention", "phrases": ["words"], "weight": 91},
        words=["word"],
    )
    found = findings(talk("The word.", "No.", "A word."), rules)
    assert [(moment.rule_id, moment.segment) for moment in found.moments] == [
        *(("b", 0), ("b", 2), ("c", 0), ("c", 2), ("d", 0), ("d", 2), ("a", 0), ("a", 2)),
    ]
    assert {moment.rule_version for moment in found.moments} == {"7"}


def test_how_many_a_rule_gives_and_whether_it_counts() -> None:
    mention = {"detector": "mention", "phrases": ["words"]}
    rules = only(
        {"id": "two", "most": 2, **mention},
        {"id": "off", "enabled": False, **mention},
        words=["word"],
    )
    assert rule_ids(findings(talk(*["A word."] * 9), rules)) == ["two", "two"]


def test_without_roles_the_rules_of_one_side_are_left_out() -> None:
    lines = segments(*talk("Nice weather.", "Yes.", "It is warm.", "Very.", seconds=20))
    found = analyze(lines, "en", {}, RULES)
    reasons = {one.rule_id: one.reason for one in found.skipped}
    assert reasons["interruption"] == "role_unknown"
    assert reasons["objection_price"] == "role_unknown"
    assert [moment.rule_id for moment in found.moments] == ["missing_next_step"]


def test_with_an_agent_alone_nobody_could_answer_an_objection() -> None:
    lines = segments(*talk("Hello.", "Too expensive.", "Hm."))
    found = analyze(lines, "en", {"A": Role.UNKNOWN, "C": Role.CUSTOMER}, RULES)
    assert "objection_price" in {one.rule_id for one in found.skipped}


def test_in_another_language_only_times_count() -> None:
    found = findings(talk("Guten Tag.", "Das ist too expensive.", seconds=70), language="de")
    assert rule_ids(found) == ["monologue_too_long"]
    assert {one.reason for one in found.skipped} == {"language_unsupported", "sentiment_missing"}


def test_a_long_segment_is_quoted_around_what_was_said() -> None:
    filling = "We talked about many other things before that. " * 20
    text = f"{filling}And it is too expensive, I think. {filling}"
    (moment,) = findings(talk("Hello.", text, "Okay."), only(PRICE)).moments
    assert moment.quote == "And it is too expensive, I think."
    bare = text.replace(".", "").replace(",", "").lower()
    (moment,) = findings(talk("Hello.", bare, "Okay."), only(PRICE)).moments
    assert moment.quote in bare
    assert "too expensive" in moment.quote
    assert len(moment.quote) <= MAX_QUOTE


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ("It is 3.5 percent of what Mr. Smith pays.", " "),
        ("... well, it is too much!", " "),
        ("\u201cDo we pay for it?\u201d", "\n"),
    ],
)
def test_a_quote_is_a_whole_sentence(first: str, rest: str) -> None:
    rules = only({"id": "long", "detector": "monologue", "longer_than_s": 1})
    text = first + rest + "We talked about many other things before that. " * 20
    (moment,) = findings([("A", 0, 60, text)], rules).moments
    assert moment.quote == first


TEXT = st.text(st.sampled_from("ab .?!,'$1 um no too expensive\n"), max_size=60)
ANY = st.tuples(st.sampled_from("ACD"), st.floats(0, 100), st.floats(0, 50), TEXT, st.floats(-1, 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=15))
def test_any_conversation_has_findings(drawn: list[tuple[str, float, float, str, float]]) -> None:
    lines: list[Line] = [
        (who, start, start + length, text, score) for who, start, length, text, score in drawn
    ]
    found = analyze(segments(*lines), "en", ROLES, RULES)
    assert found == analyze(segments(*lines), "en", ROLES, RULES)
    for moment in found.moments:
        assert moment.quote in lines[moment.segment][3]
    metrics = found.metrics
    assert 0 <= metrics.silence_share <= 1
    assert metrics.speech_seconds <= metrics.duration + 0.001
    assert sum(one.talk_ratio for one in metrics.speakers) == pytest.approx(
        1 if any(end > start for _, start, end, *_ in lines) else 0, abs=0.001
    )
