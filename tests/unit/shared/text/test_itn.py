"""Inverse text normalization: a table of what is written how, and what holds for any text."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.text.itn import merged_times, normalize, normalize_text, spans
from shared.text.itn_lexicon import (
    DIGITS,
    MONTHS,
    OH,
    ORDINALS,
    REPEATS,
    SCALES,
    TEENS,
    TENS,
)
from shared.text.itn_units import CURRENCIES, UNITS
from tests.support.effort import LINEAR, growth

LINES = Path(__file__).with_name("itn_cases.txt").read_text().splitlines()
CASES = [
    (spoken, written or spoken)
    for spoken, _, written in (line.partition(" = ") for line in LINES if line[0] != "#")
]
# What the rules react to, and words among which they must not.
EXTRA = (
    "hundred hundredth and a the of oh o point half past quarter to o'clock p m pm a.m. minus"
    " percent per cent cents pence at in between eighties twenty-three twenty-first"
)
SPOKEN = sorted(
    {*DIGITS, *list(TEENS)[:12], *TENS, *SCALES, *REPEATS, *CURRENCIES, *MONTHS}
    | {"first", "second", "third", "fifth", *list(ORDINALS)[:14]}
    | {word for unit in UNITS for word in unit}
    | {*EXTRA.split()}
)
WRITTEN = "hello there the cat naïve 42 $5 3:30 don't (x) p.s. -- e.g. 555-1234"
PLAIN = [*WRITTEN.split()]


@dataclass(frozen=True)
class Said:
    word: str
    start: float
    end: float
    confidence: float


def rebuild(words: "list[Said] | tuple[Said, ...]", text: str) -> Said:
    return Said(text, *merged_times(words))


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 250
    assert len({spoken for spoken, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(("spoken", "written"), CASES, ids=[spoken[:40] for spoken, _ in CASES])
def test_what_is_written_how(spoken: str, written: str) -> None:
    assert normalize_text(spoken) == written
    assert normalize_text(written) == written, "what is written already stays"


def test_a_joined_word_has_the_times_of_all_and_their_mean_confidence() -> None:
    words = [
        Said("over", 0.0, 0.4, 0.9),
        Said("twenty", 0.5, 0.9, 0.8),
        Said("three", 1.0, 1.2, 0.4),
        Said("kilometers", 1.2, 1.9, 0.7),
    ]
    found = normalize(words, rebuild)
    assert found == [words[0], Said("23", 0.5, 1.2, 0.6), Said("km", 1.2, 1.9, 0.7)]
    assert found[0] is words[0]


def test_the_parts_of_a_date_keep_their_own_times() -> None:
    said = ["january", "fifth", "twenty", "twenty", "four"]
    words = [Said(word, float(place), place + 0.5, 0.5) for place, word in enumerate(said)]
    found = [(one.word, one.start, one.end) for one in normalize(words, rebuild)]
    assert found == [("January", 0.0, 0.5), ("5,", 1.0, 1.5), ("2024", 2.0, 4.5)]


texts = st.lists(st.sampled_from(SPOKEN + PLAIN), max_size=14)


@settings(max_examples=120)
@given(texts)
def test_pieces_cover_all_words_in_order(words: list[str]) -> None:
    found = spans(words)
    places = [place for piece in found for place in range(piece.first, piece.end)]
    assert places == list(range(len(words)))
    assert all(piece.text and not piece.text.isspace() for piece in found)


@settings(max_examples=200)
@given(texts)
def test_once_is_enough(words: list[str]) -> None:
    once = normalize_text(" ".join(words))
    assert normalize_text(once) == once


@given(
    st.lists(st.text(max_size=12).filter(lambda one: not any(map(str.isspace, one))), max_size=8)
)
def test_any_text_is_answered(words: list[str]) -> None:
    assert bool(spans(words)) == bool(words)


@given(st.lists(st.sampled_from([*PLAIN, "one", "second", "a", "to", "may", "oh"]), max_size=12))
def test_words_without_numbers_are_the_same_objects(said: list[str]) -> None:
    words = [Said(word, place, place + 1, 0.5) for place, word in enumerate(said)]
    if not {"one", "a"} <= set(said):
        # Among digits it is a zero; alone it is a word that must stay.
        numbers = {*DIGITS, *OH} if DIGITS.keys() & set(said) else {*DIGITS}
        plain = [word for word in words if word.word not in numbers]
        kept = [word for word in normalize(words, rebuild) if word in plain]
        assert kept == plain or "second" in said


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(SPOKEN), st.integers(0, 2), st.integers(0, 2)), max_size=12)
)
def test_times_stay_in_order(pieces: list[tuple[str, int, int]]) -> None:
    words, now = [], 0
    for text, gap, length in pieces:
        words.append(Said(text, now + gap, now + gap + length, 0.5))
        now += gap + length
    edges = [edge for word in normalize(words, rebuild) for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    if words:
        assert (edges[0], edges[-1]) == (words[0].start, words[-1].end)


@pytest.mark.parametrize(
    "word", ["five", "twenty", "hundred", "and", "oh", "double", "point", "january", "a", "minus"]
)
def test_the_work_is_linear(word: str) -> None:
    assert growth(lambda count: spans([word, "one"] * count), 250) < LINEAR
