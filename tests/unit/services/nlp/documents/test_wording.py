# ruff: noqa: RUF001 - other spellings are the subject
import pytest

from services.nlp.services.documents.wording import as_writer, for_model


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don’t — ‘quoted’", "don't — ‘quoted’"),
        ("cafe\u0301", "café"),
        ("Ｉｎ ２０２４", "In 2024"),
        ("सन् २०२४", "सन् 2024"),
        ("٣ و ۴", "3 و 4"),
        ("co\u00adop\u200berate\u2060", "cooperate"),
        ("ﬁle X\u2011ray", "file X-ray"),
        ("ab\u202ecd\x00", "abcd"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_spelling_for_models(text: str, expected: str) -> None:
    assert for_model(text) == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("the man’s house", "l'home", "l’home"),
        ("the man's house", "l'home", "l'home"),
        ("plain", "l'home", "l'home"),
        ("the man’s", "'l'home'", "'l’home'"),
    ],
)
def test_the_writers_apostrophe(source: str, target: str, expected: str) -> None:
    assert as_writer(source, target) == expected
