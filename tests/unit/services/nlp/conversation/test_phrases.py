from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.nlp.services.conversation.phrases import PhraseBook, variants
from services.nlp.services.conversation.words import NUMBER, words_of


def find(phrases: list[str], text: str) -> list[str]:
    words = [word.text for word in words_of(text)]
    hits = PhraseBook({"list": phrases}).find(words)
    return [" ".join(words[hit.first : hit.last + 1]) for hit in hits]


@pytest.mark.parametrize(
    ("phrases", "text", "found"),
    [
        (["too expensive"], "That's way too EXPENSIVE for us", ["too expensive"]),
        (
            ["too|very dear"],
            "very dear, too dear",
            ["very dear", "too dear"],
        ),
        (["too really| dear"], "too dear, too really dear", ["too dear", "too really dear"]),
        (["talk * boss"], "I talk to my own boss", ["talk to my own boss"]),
        (["talk * boss"], "talk to all of my bosses, talk of one two three boss", []),
        (["talk * boss"], "I talk boss", ["talk boss"]),
        (["can't afford"], "We can not afford it; we cannot afford it", ["can not afford"] * 2),
        (["<number> euros"], "twenty euros, 20 euros, some euros", ["twenty euros", "20 euros"]),
        (["<money>"], "it is $20", ["<money>"]),
        (["no money"], "I said no. Money is short.", []),
        (["no * money"], "I said no. Our money is short.", []),
        (["big", "big house"], "the big house", ["big house"]),
        (["expensive", "!not expensive"], "it is not expensive", []),
        (["expensive", "!not * expensive"], "not at all expensive, but expensive", ["expensive"]),
        ([], "anything", []),
        (["a"], "", []),
    ],
)
def test_phrases(phrases: list[str], text: str, found: list[str]) -> None:
    assert find(phrases, text) == found


def test_an_exception_is_one_for_its_own_list_only() -> None:
    book = PhraseBook({"one": ["dear", "!not dear"], "two": ["dear"]})
    assert [hit.list_name for hit in book.find(["not", "dear"])] == ["two"]


@pytest.mark.parametrize(
    "phrase",
    ["", "!", "*", "* a", "a *", "a|", "a * b * c * d", " ".join("a" * 13), "...", "- b"],
)
def test_what_is_no_phrase(phrase: str) -> None:
    with pytest.raises(ValueError, match="phrase"):
        variants(phrase)


def test_a_phrase_that_stands_for_too_much() -> None:
    with pytest.raises(ValueError, match="at most"):
        variants(" ".join(["a|b"] * 12))


WORDS = st.lists(st.sampled_from(["a", "b", "c", "."]), max_size=30)
PHRASE = st.lists(st.sampled_from(["a", "b", "c", "*"]), min_size=1, max_size=5)


def by_hand(phrase: Sequence[str], words: Sequence[str], first: int) -> Iterator[int]:
    """Ends of the phrase where it begins at `first`, by trying everything."""
    if not phrase:
        yield first - 1
    elif phrase[0] == "*":
        for skipped in range(4):
            if "." in words[first : first + skipped] or first + skipped > len(words):
                break
            yield from by_hand(phrase[1:], words, first + skipped)
    elif first < len(words) and words[first] == phrase[0]:
        yield from by_hand(phrase[1:], words, first + 1)


@given(WORDS, st.lists(PHRASE, max_size=4))
def test_the_tree_finds_what_trying_everything_finds(
    words: list[str], phrases: list[list[str]]
) -> None:
    allowed = [
        one
        for one in phrases
        if one[0] != "*" != one[-1] and one.count("*") <= 2 and ("*", "*") not in pairwise(one)
    ]
    book = PhraseBook({"list": [" ".join(one) for one in allowed]})
    expected = {}
    for first in range(len(words)):
        ends = [end for one in allowed for end in by_hand(one, words, first)]
        if ends:
            expected[first] = max(ends)
    assert {hit.first: hit.last for hit in book.find(words)} == expected


class Counted(list[str]):
    """Counts how often a word is looked at."""

    looks = 0

    def __getitem__(self, index: object) -> str:  # type: ignore[override] # one word at a time
        self.looks += 1
        return super().__getitem__(index)  # type: ignore[no-any-return,call-overload] # likewise


def test_the_work_grows_with_the_words_and_not_with_the_phrases() -> None:
    worst = ["a * a * a a a a a a"] + [f"a * b{number}" for number in range(500)]
    looks = []
    for length in (1_000, 2_000):
        words = Counted(["a"] * length)
        PhraseBook({"list": worst}).find(words)
        looks.append(words.looks)
    assert looks[1] < 2.1 * looks[0]
    assert looks[1] < 400 * 2_000


def test_the_work_is_bounded_where_every_word_fits_two_ways() -> None:
    worst = product(*[["5", NUMBER], ["6", NUMBER]] * 6)
    words = Counted(["5", "6"] * 100)
    assert PhraseBook({"list": [" ".join(row) for row in worst]}).find(words)
    assert words.looks <= 250 * 200
