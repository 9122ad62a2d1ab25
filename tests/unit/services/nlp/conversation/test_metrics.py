import pytest

from services.nlp.models.conversation import Role
from services.nlp.services.conversation.metrics import measure
from services.nlp.services.conversation.transcript import read_transcript
from tests.unit.services.nlp.conversation.given import ROLES, RULES, findings, segments, transcript

CALL = transcript(
    ("A", 10, 20, "Hello, um, how are things going for you over there?", 0.4),
    ("C", 21, 26, "Well, we are you know quite happy.", 0.6),
    ("A", 25, 35, "Great. Do you need anything? I mean, more seats or another team?", 0.2),
    ("C", 39, 40, "No.", -0.2),
    ("A", 50, 52, "", 0.0),
)


def test_the_figures_of_a_call() -> None:
    found = measure(CALL, RULES, ROLES)
    assert (found.duration, found.speech_seconds, found.overlap_seconds) == (42, 27, 1)
    assert found.silence_share == pytest.approx(1 - 27 / 42, abs=1e-4)
    assert (found.switches, found.switches_per_minute) == (4, 5.71)
    assert (found.response_time.median, found.response_time.longest) == (0.5, 1)
    assert (found.questions.open, found.questions.closed) == (1, 2)
    assert found.longest_monologue is not None
    assert found.longest_monologue.seconds == 12  # The murmur and the pause do not end it.
    assert found.interruptions == 1


def test_the_figures_of_a_speaker() -> None:
    agent, customer = measure(CALL, RULES, ROLES).speakers
    assert (agent.speaker, agent.role, agent.segments) == ("A", Role.AGENT, 3)
    assert (agent.talk_seconds, agent.talk_ratio) == (22, round(22 / 28, 4))
    assert (agent.words, agent.fillers) == (22, 2)
    assert agent.filler_rate == round(200 / 22, 2)
    assert agent.words_per_minute == 60
    assert (agent.interruptions, customer.interruptions) == (1, 0)
    assert (customer.words, customer.fillers) == (8, 1)
    assert customer.response_time.median == 1
    assert customer.sentiment is not None
    assert customer.sentiment.score == round((7 * 0.6 - 0.2) / 8, 4)
    assert (customer.sentiment.change, customer.sentiment.trend) == (None, None)
    assert agent.sentiment is not None
    assert (agent.sentiment.change, agent.sentiment.trend) == (-0.4, "falling")


def test_another_language_has_the_figures_of_time() -> None:
    lines = segments(("A", 0, 5, "Wie geht es Ihnen? Äh, gut?"), ("C", 6, 8, "Ja, danke sehr."))
    found = measure(read_transcript(lines, "de", RULES), RULES, ROLES)
    agent = found.speakers[0]
    assert (found.questions.open, agent.fillers, agent.filler_rate) == (None, None, None)
    assert (agent.words, agent.talk_seconds) == (6, 5)


@pytest.mark.parametrize("end", [3.0, 3.5])
def test_a_single_segment_even_of_no_length(end: float) -> None:
    found = findings([("A", 3.0, end, "Hello?")])
    assert found.metrics.duration == end - 3
    assert found.metrics.response_time.median is None
    assert found.metrics.speakers[0].talk_ratio == (1 if end > 3 else 0)
    assert found.metrics.speakers[0].words_per_minute is None
