# ruff: noqa: RUF001 - other scripts are the subject
from hypothesis import given
from hypothesis import strategies as st

from services.nlp.services.layout import take_apart
from shared.text.clean import clean_text

TEXTS = st.text(st.sampled_from("aBé中ह12.!?।۔” \t\n\r\u2028-*") | st.characters(), max_size=300)


def upper(text: str, longest: int = 1_000) -> str:
    layout = take_apart(text, longest=longest)
    return layout.rejoin({sentence: sentence.upper() for sentence in layout.sentences()})


@given(TEXTS)
def test_a_translation_into_the_same_words_gives_the_text_back(text: str) -> None:
    layout = take_apart(text, longest=1_000)
    assert layout.rejoin({sentence: sentence for sentence in layout.sentences()}) == clean_text(
        text
    )


@given(TEXTS)
def test_only_what_has_letters_is_translated(text: str) -> None:
    for sentence in take_apart(text, longest=1_000).sentences():
        assert sentence == sentence.strip()
        assert any(character.isalpha() for character in sentence)


def test_layout_is_kept() -> None:
    text = "  One.  Two!\r\n\r\n\t* three\n---\n 42\n"
    assert upper(text) == "  ONE.  TWO!\r\n\r\n\t* THREE\n---\n 42\n"


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    text = "word " * 100 + "end"
    layout = take_apart(text, longest=50)
    assert max(map(len, layout.sentences())) <= 50
    assert upper(text, 50) == text.upper()
