import pytest

from services.nlp.services.conversation.questions import questions_in
from tests.unit.services.nlp.conversation.given import transcript


@pytest.mark.parametrize(
    ("text", "opened", "closed"),
    [
        ("How do you work today?", 1, 0),
        ("Do you use a tool?", 0, 1),
        ("It is red. What do you do then? Is it blue?", 1, 1),
        ("That is what we do. Right?", 0, 1),
        ("What do you do then", 1, 0),
        ("So um what would that mean for you and do you have somebody for it", 1, 1),
        ("we do what you need and that is how it works", 0, 0),
        ("if you have time we can look", 0, 0),
        ("tell me a little about the floors", 1, 0),
        ("have you ever been there", 0, 1),
        ("", 0, 0),
        ("I wonder.", 0, 0),
        ("???", 0, 1),
    ],
)
def test_open_and_closed_questions(text: str, opened: int, closed: int) -> None:
    (said,) = transcript(("A", 0, 5, text)).said()
    assert questions_in(said) == (opened, closed)
