"""Key phrases and summaries: what is chosen, and what holds for any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.nlp.models.annotation import SummaryLength
from services.nlp.services.analysis import MOST_SEGMENTS, segment_spans
from services.nlp.services.keywords import keywords
from services.nlp.services.summary import MOST_SENTENCES, sentence_spans, summarize
from tests.support.effort import LINEAR, growth

ARTICLE = (
    "The battery of the new phone lasts two days. Battery life was the main complaint about the"
    " old phone, and the engineers changed the battery chemistry to fix it. The screen is bright."
    " Customers who waited in the rain said that battery life matters more to them than the screen."
    " My cousin bought one. The company expects that longer battery life will raise phone sales."
)
SPANISH = (
    "El banco central subió los tipos de interés. Los tipos de interés más altos frenan la"
    " inflación, dijo el banco central. Hoy llueve. La inflación preocupa a las familias."
)
HINDI = "भारत में मानसून की बारिश शुरू हुई। मानसून की बारिश से किसान खुश हैं। आज छुट्टी है।"
TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from([*ARTICLE.split(), *HINDI.split(), "\n", "…", "1.5", "-", "é"]), max_size=60
).map(" ".join)
LANGUAGES = st.sampled_from(["en", "es", "hi"])


@pytest.mark.parametrize(
    ("text", "language", "first", "others"),
    [
        (ARTICLE, "en", {"Battery life"}, {"phone"}),
        (SPANISH, "es", {"banco central"}, {"tipos", "inflación"}),
        (HINDI, "hi", {"मानसून", "बारिश"}, {"मानसून", "बारिश"}),
    ],
)
def test_key_phrases(text: str, language: str, first: set[str], others: set[str]) -> None:
    found = [one.text for one in keywords(text, language, 8)]
    assert found[0] in first
    assert others <= {*found}


def test_key_phrases_have_scores_and_places() -> None:
    found = keywords(ARTICLE, "en", 5)
    assert found[0].score == 1
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert len(one.places) == one.count
        assert all(ARTICLE[slice(*place)] for place in one.places)
    life = next(one for one in found if "life" in one.text.lower())
    assert life.count == 3


def test_a_summary_says_the_main_thing_and_nothing_twice() -> None:
    chosen = summarize(ARTICLE, "en", SummaryLength(2))
    said = [ARTICLE[one.start : one.end] for one in chosen]
    assert len(said) == 2
    assert all("battery" in sentence.lower() for sentence in said)
    assert "cousin" not in " ".join(said)
    twice = summarize("The battery is weak. The battery is weak. Rain fell on Rome.", "en",
                      SummaryLength(2))  # fmt: skip
    assert [one.start for one in twice] == [0, 42]


@pytest.mark.parametrize(
    ("length", "count"),
    [
        (SummaryLength(1), 1),
        (SummaryLength(99), 6),
        (SummaryLength(ratio=0.5), 3),
        (SummaryLength(ratio=0.01), 1),
        (SummaryLength(ratio=1.0), 6),
    ],
)
def test_the_length_of_a_summary(length: SummaryLength, count: int) -> None:
    assert len(summarize(ARTICLE, "en", length)) == count


@settings(max_examples=70, deadline=None)
@given(TEXTS, LANGUAGES, st.integers(1, 10))
def test_what_is_chosen_stands_in_the_text(text: str, language: str, count: int) -> None:
    found = keywords(text, language, count)
    assert len(found) <= count
    for one in found:
        assert one.text == text[slice(*one.places[0])]
        assert 0 <= one.score <= 1
    chosen = summarize(text, language, SummaryLength(count))
    assert [one.start for one in chosen] == sorted(one.start for one in chosen)
    assert {(one.start, one.end) for one in chosen} <= {*sentence_spans(text)}
    assert chosen == summarize(text, language, SummaryLength(count))


@settings(max_examples=70, deadline=None)
@given(TEXTS)
def test_segments_cover_the_sentences(text: str) -> None:
    spans = segment_spans(text)
    assert len(spans) <= MOST_SEGMENTS
    end = 0
    for start, after in spans:
        assert end <= start < after <= len(text)
        end = after
    outside = "".join(one for index, one in enumerate(text) if not _inside(index, spans))
    assert not any(map(str.isalnum, outside))


def _inside(index: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= index < end for start, end in spans)


def test_a_text_of_many_sentences_has_its_neighbours_together() -> None:
    spans = segment_spans("No. " * 1_250)
    assert len(spans) == MOST_SEGMENTS - 3  # 13 sentences in each
    assert spans[-1][1] == 4_999


@pytest.mark.parametrize("part", ["a. ", "word ", "the battery life ", "1 ", "Ab. cd ef gh. ", "é"])
def test_linear(part: str) -> None:
    def digest(length: int) -> None:
        text = (part * length)[:length]
        keywords(text, "en", 100)
        summarize(text, "en", SummaryLength(MOST_SENTENCES))

    assert growth(digest, 3_000) < LINEAR
