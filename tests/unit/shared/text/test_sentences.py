# ruff: noqa: RUF001 - the punctuation of other scripts is the subject
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.sentences import chunk_text, cut_long, split_sentences

# Weighted towards what boundaries are made of.
TEXTS = st.text(st.sampled_from('aBÉह中م12.!?…।۔。”’")]» \t\n\r\u2028\u200dिٌ,;،') | st.characters())


def sentences(text: str) -> list[str]:
    return split_sentences(text)[1::2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs $3.50. Cheap.", ["It costs $3.50.", "Cheap."]),
        ("Mr. Smith and Dr. Jones met. They left.", ["Mr. Smith and Dr. Jones met.", "They left."]),
        ("J. R. R. Tolkien wrote it. Yes.", ["J. R. R. Tolkien wrote it.", "Yes."]),
        ("In the U.S. Army, e.g. here. Done.", ["In the U.S. Army, e.g. here.", "Done."]),
        ("See fig. 3 and no. 7. The end.", ["See fig. 3 and no. 7.", "The end."]),
        ("She said no. Then she left.", ["She said no.", "Then she left."]),
        ("Open a.b.com now. Go.", ["Open a.b.com now.", "Go."]),
        ("1. First item\n2. Second item", ["1. First item", "2. Second item"]),
        ("It was 1999. Then came 2000.", ["It was 1999.", "Then came 2000."]),
        ("Wait... what? “Yes!” he said. Oh.", ["Wait... what?", "“Yes!” he said.", "Oh."]),
        ("La Sra. Ruiz vino. ¿Y tú? Sí.", ["La Sra. Ruiz vino.", "¿Y tú?", "Sí."]),
        ("नमस्ते। आप कैसे हैं? ठीक।हाँ", ["नमस्ते।", "आप कैसे हैं?", "ठीक।", "हाँ"]),
        ("डॉ. शर्मा आए। वे गए।", ["डॉ. शर्मा आए।", "वे गए।"]),
        ("یہ ٹھیک ہے۔ کیوں؟ ہاں۔", ["یہ ٹھیک ہے۔", "کیوں؟", "ہاں۔"]),
        ("今日は。「え？」と言った。元気！", ["今日は。", "「え？」と言った。", "元気！"]),
        ("A title\nA line\n\nA paragraph", ["A title", "A line", "A paragraph"]),
        ("", []),
        (" \n ", []),
        ("...", ["..."]),
    ],
)
def test_boundaries(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(TEXTS)
def test_nothing_is_lost_and_gaps_are_white_space(text: str) -> None:
    parts = split_sentences(text)
    assert "".join(parts) == text
    assert len(parts) % 2 == 1
    assert not "".join(parts[0::2]).strip()
    for sentence in parts[1::2]:
        assert sentence == sentence.strip() != ""


@given(TEXTS, st.integers(8, 60), st.integers(1, 60))
def test_chunks_keep_every_word_in_order_within_the_limit(
    text: str, limit: int, enough: int
) -> None:
    chunks = chunk_text(text, limit=limit, enough=enough)
    assert all(0 < len(chunk.text) <= limit for chunk in chunks)
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())
    words = {word for chunk in chunks for word in chunk.text.split()}
    for word in text.split():
        # CJK commas and dashes may end a chunk inside what white space calls a word.
        if len(word) <= limit and not set(word) & set("、，；：—") and not _inner_end(word):
            assert word in words


def _inner_end(word: str) -> bool:
    return len(sentences(word)) > 1


@given(st.text(st.sampled_from("ab, ि\u200d"), min_size=1), st.integers(4, 40))
def test_cutting_drops_only_white_space(text: str, limit: int) -> None:
    parts = cut_long(text.strip(), limit)
    assert all(len(part) <= limit for part in parts)
    assert "".join("".join(part.split()) for part in parts) == "".join(text.split())


def test_a_long_sentence_is_cut_after_a_clause() -> None:
    text = "word " * 10 + "end, " + "more " * 10
    first, *_ = cut_long(text.strip(), 80)
    assert first.endswith("end,")


def test_a_mark_stays_with_its_letter() -> None:
    # Ten times KA + vowel sign I: a cut after 5 characters would separate a pair.
    parts = cut_long("कि" * 10, 5)
    assert all(len(part) % 2 == 0 for part in parts)


def test_a_forced_cut_is_told_from_a_sentence_end() -> None:
    chunks = chunk_text("a " * 30 + "end. Next.", limit=40, enough=40)
    assert [chunk.ends_sentence for chunk in chunks] == [False, True]


def test_short_sentences_share_a_chunk_until_it_is_long_enough() -> None:
    chunks = chunk_text("One. Two. Three. Four.", limit=40, enough=9)
    assert [chunk.text for chunk in chunks] == ["One. Two.", "Three. Four."]


@pytest.mark.parametrize(
    "unit",
    [".", ". ", "a. ", " ", "\n", ")", '."', "a", "a ", "(", "1.", "। ", "\u0301", ", ", "—"],
)
def test_time_is_linear(unit: str) -> None:
    # A quadratic scan of this takes many minutes.
    text = (unit * 300_000)[:300_000]
    started = time.perf_counter()
    split_sentences(text)
    chunk_text(text, limit=400, enough=120)
    assert time.perf_counter() - started < 20
