import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.nlp.services.conversation.words import (
    ASKED,
    BOUNDARIES,
    MONEY,
    is_number,
    without_hesitation,
    words_of,
)


def plain(text: str) -> list[str]:
    return [word.text for word in words_of(text)]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("I DON'T know", "i do not know"),
        ("i dont know", "i do not know"),
        ("I do not know", "i do not know"),
        ("It’s fine", "it is fine"),
        ("its fine", "it is fine"),
        ("we won't, can't, cannot", "we will not can not can not"),
        ("They'll say that’s what we’ve got", "they will say that is what we have got"),
        ("Let's go, lets go", "let us go let us go"),
        ("Anna's house", "anna house"),
        ("she wouldn't've, they'd've", "she would not have they would have"),
        ("मेरा घर हिंदी में क्\u200dष है।", "मेरा घर हिंदी में क्\u200dष है ."),
        ("cafe\u0301", "cafe\u0301"),
        ("you're gonna", "you are going to"),
        ("alright ok", "all right okay"),
        ("n't", "not"),
    ],
)
def test_what_is_said_is_the_same_however_it_is_written(written: str, words: str) -> None:
    assert plain(written) == words.split()


def test_sentences_end_where_marks_stand_and_not_inside_of_numbers() -> None:
    assert plain("It is 3.5. Is it? Yes... www.example.org") == [
        *("it", "is", "3.5", ".", "is", "it", ASKED, "yes", "."),
        *("www", "example", "org"),
    ]


def test_money_and_numbers() -> None:
    assert plain("$49 or €1,200.50 or 49") == [MONEY, "or", MONEY, "or", "49"]
    assert all(map(is_number, [MONEY, "49", "seven", "hundred"]))
    assert not is_number("house")


def test_hesitations_and_what_is_said_twice_are_left_out() -> None:
    words = without_hesitation(words_of("So um the the uh the price. Price."), {"um", "uh"})
    assert [word.text for word in words] == ["so", "the", "price", ".", "price", "."]
    text = "So um the the uh the price. Price."
    assert text[words[1].start : words[1].end] == "the the uh the"


@given(st.text(st.sampled_from("aB'’ .?!$€3,-é中\n") | st.characters(), max_size=200))
def test_every_word_knows_its_place(text: str) -> None:
    last = 0
    for word in words_of(text):
        assert last <= word.start < word.end <= len(text)
        last = word.start
        assert word.text in BOUNDARIES or word.text == MONEY or word.text == word.text.casefold()
