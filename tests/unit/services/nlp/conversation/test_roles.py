from services.nlp.models.conversation import Role, RoleSource, SpeakerRole
from services.nlp.services.conversation.roles import assign_roles
from tests.unit.services.nlp.conversation.given import Line, transcript

PITCH: list[Line] = [
    ("S1", 0, 5, "Hello, my name is Ann, I am calling from Acme. How are things?"),
    ("S2", 6, 9, "Fine. What is it about?"),
    ("S1", 10, 15, "Our product helps. May I show you how?"),
    ("S2", 16, 20, "Send me something, I will think about it."),
]


def assign(*lines: Line, **given: Role) -> dict[str, SpeakerRole]:
    return {one.speaker: one for one in assign_roles(transcript(*lines), given)}


def test_who_sells_is_guessed_and_explained() -> None:
    found = assign(*PITCH)
    assert (found["S1"].role, found["S2"].role) == (Role.AGENT, Role.CUSTOMER)
    assert found["S1"].source is RoleSource.GUESSED
    assert 0.8 < found["S1"].confidence < 1
    assert "says “my name is”" in found["S1"].because
    assert "speaks first" in found["S1"].because


def test_what_is_given_stands() -> None:
    found = assign(*PITCH, S1=Role.CUSTOMER, S2=Role.AGENT)
    assert [one.role for one in found.values()] == [Role.CUSTOMER, Role.AGENT]
    assert all(one.source is RoleSource.GIVEN and one.confidence == 1 for one in found.values())


def test_of_two_the_other_one_is_on_the_other_side() -> None:
    found = assign(*PITCH, S1=Role.CUSTOMER)
    assert found["S2"].role is Role.AGENT
    assert found["S2"].source is RoleSource.GUESSED
    explicit = assign(*PITCH, S1=Role.AGENT, S2=Role.UNKNOWN)
    assert explicit["S2"].role is Role.UNKNOWN


def test_small_talk_tells_nothing() -> None:
    found = assign(("S1", 0, 5, "Nice weather."), ("S2", 6, 9, "Yes, it is warm."))
    assert {one.role for one in found.values()} == {Role.UNKNOWN}
    assert all(one.source is RoleSource.UNKNOWN for one in found.values())


def test_one_speaker_alone_is_nobody() -> None:
    assert assign(("S1", 0, 5, "My name is Ann, our product is good."))["S1"].role is Role.UNKNOWN


def test_of_three_who_says_nothing_of_it_stays_unknown() -> None:
    found = assign(*PITCH, ("S3", 21, 25, "The weather is nice here."))
    assert [one.role for one in found.values()] == [Role.AGENT, Role.CUSTOMER, Role.UNKNOWN]
