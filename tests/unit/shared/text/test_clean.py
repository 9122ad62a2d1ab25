# ruff: noqa: RUF001 - other scripts are the subject
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.bounds import TextBounds
from shared.text.clean import clean_text, is_blank
from shared.text.problems import TextTooLong, TooManyItems


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("e\u0301", "é"),
        ("a\x00b\x07c\x7f", "abc"),
        ("a\tb\r\nc", "a\tb\r\nc"),
        ("one\x0btwo\x85three", "one\ntwo\nthree"),
        ("\ufeffa\u202eb\u2066c\ufffe", "abc"),
        ("क्\u200dष نمی\u200cخواهم", "क्\u200dष نمی\u200cخواهم"),
        ("x\U000e0041y\U0010ffff", "xy"),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean_text(raw) == cleaned


@given(st.text())
def test_clean_is_composed_and_stable(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_text(cleaned) == cleaned
    assert all(
        unicodedata.category(character) != "Cc" or character in "\t\n\r" for character in cleaned
    )


def test_blank() -> None:
    assert is_blank(" \x00\n\ufeff")
    assert not is_blank(" a ")


def test_bounds() -> None:
    bounds = TextBounds(items=2, characters=3, total=5)
    assert bounds.check(["abc", "de"]) == 5
    with pytest.raises(TooManyItems):
        bounds.check(["a"] * 3)
    with pytest.raises(TextTooLong) as one:
        bounds.check(["a", "abcd"])
    assert one.value.members["errors"][0]["pointer"] == "/input/1/source"
    with pytest.raises(TextTooLong) as all_together:
        bounds.check(["abc", "abc"])
    assert all_together.value.members["errors"][0]["pointer"] == "/input"
