from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st


def test_a_short_text_is_one_piece(sentiment: ModuleType) -> None:
    assert sentiment.pieces("Good. Bad.") == ["Good. Bad."]
    assert sentiment.pieces("  ") == []


@given(st.text(alphabet="ab .!?\n😀", max_size=2000))
def test_pieces_are_bounded_and_lose_nothing(sentiment: ModuleType, text: str) -> None:
    found = sentiment.pieces(text, 50)
    assert all(0 < len(piece) <= 50 for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_scores_are_weighted_by_length(sentiment: ModuleType) -> None:
    good = {"compound": 0.8, "pos": 1.0, "neu": 0.0, "neg": 0.0}
    bad = {"compound": -0.8, "pos": 0.0, "neu": 0.5, "neg": 0.5}
    assert sentiment.combine([good, bad], [3, 1]) == {
        "label": "positive",
        "score": 0.4,
        "positive": 0.75,
        "neutral": 0.125,
        "negative": 0.125,
    }
    assert sentiment.combine([good, bad], [1, 1])["label"] == "neutral"
    assert sentiment.combine([bad], [1])["label"] == "negative"


def test_no_text_is_neutral(sentiment: ModuleType) -> None:
    result = sentiment.combine([], [])
    assert (result["label"], result["score"], result["neutral"]) == ("neutral", 0.0, 1.0)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"a\0", "invalid_text"),
        (b"\xc3\x28", "invalid_text"),
        (b"a" * 20_001, "text_too_long"),
        (b"a" * 80_001, "text_too_long"),
    ],
)
def test_bad_texts(sentiment: ModuleType, raw: bytes, code: str) -> None:
    with pytest.raises(sentiment.ClientError, match=rf"^{code}:"):
        sentiment.clean_text(raw)


@pytest.mark.parametrize("tag", [b"", b"es", b"en\n", b"en;ls", b"\xff"])
def test_other_languages_are_refused(sentiment: ModuleType, tag: bytes) -> None:
    with pytest.raises(sentiment.ClientError, match=r"^unsupported_language: en$"):
        sentiment.check_language(tag, ["en"])
    sentiment.check_language(b"en-GB", ["en"])
