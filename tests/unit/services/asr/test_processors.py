"""Post processors rewrite words, utterances and text alike; quality is counted as jiwer does."""

import asyncio
from dataclasses import replace

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asr.models.transcript import Transcript, Utterance, Word, WordAlternatives
from services.asr.services import quality
from services.asr.services.processors import (
    ENGLISH_PROCESSORS,
    check_processors,
    post_process,
    punctuated,
    written_numbers,
)
from services.asr.services.quality import Judge, check_references
from services.asr.services.quality_measure import measure, plain_words
from shared.problem import InvalidField


def transcript(*utterances: str, gap: float = 2.0) -> Transcript:
    words: list[Word] = []
    spans: list[Utterance] = []
    now = 0.0
    for text in utterances:
        begin = now
        for word in text.split():
            words.append(Word(word, now, now + 0.3, 0.5))
            now += 0.3
        spans.append(Utterance(begin, now, text, 0.5))
        now += gap
    return Transcript(" ".join(utterances), tuple(words), tuple(spans), 0.5, now)


def consistent(found: Transcript) -> bool:
    texts = " ".join(one.text for one in found.utterances)
    return found.text == texts == " ".join(word.word for word in found.words)


def test_numbers_end_with_their_utterance() -> None:
    found = written_numbers(transcript("it costs twenty", "three dollars or so"))
    assert [one.text for one in found.utterances] == ["it costs 20", "$3 or so"]
    assert consistent(found)
    assert (found.words[3].start, found.words[3].end) == pytest.approx((2.9, 3.5))


def test_numbers_end_with_their_speaker() -> None:
    given_words = transcript("twenty three people")
    words = tuple(replace(word, speaker="ab"[i > 0]) for i, word in enumerate(given_words.words))
    found = written_numbers(replace(given_words, words=words))
    assert found.text == "20 three people"
    assert [word.speaker for word in found.words] == ["a", "b", "b"]


async def test_both_run_in_their_own_order() -> None:
    alternatives = (WordAlternatives("five", (("five", 1.0),)),)
    said = replace(transcript("i owe you five dollars", "do you know"), alternatives=alternatives)
    found = await post_process(said, ["punctuation", "itn", "itn"], "en", ENGLISH_PROCESSORS)
    assert found.text == "I owe you $5. Do you know?"
    assert consistent(found)
    assert found.alternatives == alternatives, "these are the engine's"


def test_a_model_without_words() -> None:
    said = Transcript("i have twenty", (), (Utterance(0, 1, "i have twenty", 0.5),), 0.5, 1.0)
    assert written_numbers(said).text == "i have 20"
    assert punctuated(written_numbers(said)).utterances[0].text == "I have 20."


def test_a_model_whose_text_has_marks_of_its_own() -> None:
    said = replace(transcript("i have twenty cats"), text="Yes: I have twenty cats!")
    said = replace(said, utterances=(replace(said.utterances[0], text=said.text),))
    found = written_numbers(said)
    assert found.text == "Yes: I have 20 cats!"
    assert [word.word for word in found.words] == ["i", "have", "20", "cats"]


def test_nothing_said() -> None:
    nothing = Transcript("", (), (), 0.0, 3.0)
    assert punctuated(written_numbers(nothing)) == nothing


@given(
    st.lists(
        st.lists(
            st.sampled_from(["one", "two", "twenty", "p", "m", "the", "of", "do", "you"]),
            min_size=1,
        )
    )
)
def test_text_and_words_agree(texts: list[list[str]]) -> None:
    said = transcript(*(" ".join(words) for words in texts))
    for found in (written_numbers(said), punctuated(said), punctuated(written_numbers(said))):
        assert consistent(found)
        assert len(found.utterances) == len(said.utterances)
        assert all(one.text for one in found.utterances)


@pytest.mark.parametrize("language", ["en", "EN-in", "en_GB"])
def test_a_served_language(language: str) -> None:
    check_processors([], ["itn", "punctuation"], ENGLISH_PROCESSORS, language)


@pytest.mark.parametrize("name", ["itn", "punctuation"])
def test_another_language_is_refused_with_those_that_are_served(name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_processors([], [name], ENGLISH_PROCESSORS, "hi")
    assert caught.value.code == "unsupported_processor"
    assert "served: en." in caught.value.detail
    assert caught.value.members["errors"][0]["pointer"] == "/config/postProcessors/0"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Hello, World!", "hello world"),
        ("it’s 'quoted' — rock'n'roll", "it's quoted rock'n'roll"),
        ("ill-disposed", "ill disposed"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
        ("Straße", "strasse"),
        ("... ' -", ""),
    ],
)
def test_what_is_compared(text: str, plain: str) -> None:
    assert plain_words(text) == plain
    assert plain_words(plain) == plain


WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "dd"]), min_size=1, max_size=12).map(" ".join)


@given(WORDS, WORDS | st.just(""))
def test_counts_are_those_of_jiwer(reference: str, heard: str) -> None:
    found = measure(reference, heard)
    assert found["wer"] == pytest.approx(jiwer.wer(reference, heard), abs=1e-4)
    assert found["mer"] == pytest.approx(jiwer.mer(reference, heard), abs=1e-4)
    assert found["cer"] == pytest.approx(jiwer.cer(reference, heard), abs=1e-4)
    assert found["reference_words"] == len(reference.split())
    errors = found["substitutions"] + found["deletions"] + found["insertions"]
    assert found["wer"] == pytest.approx(errors / found["reference_words"], abs=1e-4)


async def test_a_long_comparison_is_made_elsewhere_and_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = transcript("he was not an ill disposed young man")
    arguments = ([said, said], [said.text, said.text], ["He was not until exposed, young man!", ""])
    here = await Judge().judge(*arguments)
    monkeypatch.setattr(quality, "_ON_LOOP", 0)
    assert await Judge().judge(*arguments) == here
    assert here[0].quality is not None
    assert (here[0].quality.wer, here[0].quality.hits) == (0.4286, 5)
    assert here[1].quality is None


async def test_the_longest_comparison_holds_up_nobody() -> None:
    reference = "ab cd ef gh ij " * 3_333
    said = replace(transcript("x"), text="ba dc fe hg ji " * 3_333)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    found = await Judge().judge([said], [said.text], [reference])
    ticking.cancel()
    assert found[0].quality is not None
    assert found[0].quality.wer == 1.0
    assert ticks >= 5


def test_references_that_fit_nothing() -> None:
    check_references((), 3)
    check_references(("a", ""), 2)
    for references, items, code in (
        (("a",), 2, "invalid_field"),
        (("", "?!"), 2, "empty_reference"),
    ):
        with pytest.raises(InvalidField) as caught:
            check_references(references, items)
        assert caught.value.code == code
