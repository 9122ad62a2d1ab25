import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.models.transcript import Hypothesis, Recognition, Utterance, Word
from services.asr.services.merging import confidence, merge, place

times = st.floats(-5, 60, allow_nan=False)


@given(st.lists(st.tuples(times, times), max_size=20), st.integers(0, 10**6), st.integers(1, 10**6))
def test_placed_words_stay_in_order_and_inside(
    spans: list[tuple[float, float]], start: int, length: int
) -> None:
    segment = Span(start, start + length)
    words = place([Word("w", first, last, 0.5) for first, last in spans], segment)
    found = [time for word in words for time in (word.start, word.end)]
    assert found == sorted(found)
    assert all(
        round(segment.start / SAMPLE_RATE, 3) <= time <= round(segment.end / SAMPLE_RATE, 3)
        for time in found
    )


def test_times_are_those_of_the_whole_audio() -> None:
    segments = [Span(0, 2 * SAMPLE_RATE), Span(10 * SAMPLE_RATE, 12 * SAMPLE_RATE)]
    found = merge(
        segments,
        [
            Recognition("one two", (Word("one", 0.1, 0.5, 0.9), Word("two", 0.5, 1.0, 0.7)), 0.8),
            Recognition("three", (Word("three", 0.25, 1.0, 0.5),), 0.5),
        ],
        20 * SAMPLE_RATE,
        best_tokens=0,
    )
    assert found.text == "one two three"
    assert [(word.start, word.end) for word in found.words] == [
        (0.1, 0.5),
        (0.5, 1.0),
        (10.25, 11.0),
    ]
    assert [(one.start, one.end, one.text) for one in found.utterances] == [
        (0.1, 1.0, "one two"),
        (10.25, 11.0, "three"),
    ]
    assert found.confidence == pytest.approx(0.7)
    assert found.duration == 20.0
    assert found.alternatives is None


def test_a_model_without_words_is_placed_by_its_segments() -> None:
    found = merge(
        [Span(SAMPLE_RATE, 3 * SAMPLE_RATE)],
        [Recognition("plain text", (), 0.6)],
        4 * SAMPLE_RATE,
        best_tokens=0,
    )
    assert found.utterances == (Utterance(1.0, 3.0, "plain text", 0.6),)
    assert found.confidence == 0.6


def test_segments_without_words_leave_no_trace() -> None:
    found = merge([Span(0, 100)], [Recognition("", (), 0.0)], 200, best_tokens=2)
    assert (found.text, found.words, found.utterances) == ("", (), ())
    assert found.alternatives == ()


def test_every_segment_gives_its_alternatives() -> None:
    recognition = Recognition(
        "a", (Word("a", 0, 0.1, 1.0),), 1.0, (Hypothesis("a", 2), Hypothesis("b", 1))
    )
    spans = [Span(0, 1600), Span(1600, 3200)]
    found = merge(spans, [recognition] * 2, 3200, best_tokens=2)
    assert [one.word for one in found.alternatives or ()] == ["a", "a"]


def test_confidence_of_utterances_goes_by_length() -> None:
    utterances = [Utterance(0, 1, "aaa", 1.0), Utterance(1, 2, "b", 0.0)]
    assert confidence([], utterances) == 0.75
    assert confidence([], []) == 0.0
