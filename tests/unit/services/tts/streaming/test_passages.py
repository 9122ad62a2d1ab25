import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.streaming.passages import Passages


def spoken(pieces: list[str]) -> list[str]:
    passages = Passages()
    found = [passages.add(piece) for piece in pieces]
    return [*(one for one in found if one), passages.rest()]


def test_a_sentence_is_spoken_when_the_next_begins() -> None:
    passages = Passages()
    assert passages.add("One is here") == ""
    assert passages.add(". ") == ""
    assert passages.add("Two") == "One is here. "
    assert passages.rest() == "Two"
    assert passages.rest() == ""


@pytest.mark.parametrize(
    ("held", "whole"),
    [
        ("", False),
        ("One", False),
        ("One.", True),
        ("“One?” ", True),
        ("एक।", True),
        ("One,", False),
        ("...", True),
    ],
)
def test_what_looks_whole(held: str, whole: bool) -> None:  # noqa: FBT001 - by name
    passages = Passages()
    passages.add(held)
    assert passages.looks_whole is whole


def test_a_number_is_not_cut_at_its_point() -> None:
    assert spoken(["It is 3.", "5 degrees. Cold."]) == ["It is 3.5 degrees. ", "Cold."]


def test_text_without_an_end_is_not_held_for_ever() -> None:
    passages = Passages()
    found = [passages.add("word ") for _ in range(1_000)]
    assert max(len(one) for one in found) <= 401
    assert "".join(found) + passages.rest() == "word " * 1_000
    assert len(passages.add("x" * 10_000)) > 9_000


@given(st.lists(st.text(alphabet="ab.!? \n।,1", max_size=30), max_size=20))
def test_nothing_is_lost_however_it_comes(pieces: list[str]) -> None:
    assert "".join(spoken(pieces)) == "".join(pieces)
