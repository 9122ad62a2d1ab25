# ruff: noqa: RUF001 - other scripts are the subject
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.nlp.models.translation import TextFormat
from services.nlp.services.documents.terms import Terms
from services.nlp.services.layout import Layout, take_apart
from shared.text.clean import clean_text

Translator = Callable[[str], str]
HELD = ("{name}", "{{x}}", "%s", "%(x)d", "$VAR", "${x}", "<ph/>", ":emoji:", "https://e.example/a",
        "ana@e.example", "{n, plural, one {# day} other {# days}}", "%1$s")  # fmt: skip
WORDS = ("Hello", "world", "you,", "Yes.", "no!", "<b>", "</b>", "\n", "(", "’s")
MIXED = st.lists(st.sampled_from([*HELD, *WORDS]), max_size=25)
# What has an end of its own: a word after an address is part of it.
TIGHT = st.lists(
    st.sampled_from([*(held for held in HELD if "e.example" not in held), *WORDS]), max_size=25
)
TEXTS = st.text(st.sampled_from("aBé中ह12.!?।۔” \t\n\r\u2028-*") | st.characters(), max_size=300)


def translated(layout: Layout, translator: Translator) -> str:
    """As the service does it: whole sentences, then the pieces of those that came back broken."""
    found = {text: translator(text) for text in layout.sentences()}
    for sentence in layout.broken(found):
        found |= {text: translator(text) for text in sentence.piece_texts()}
    return layout.rejoin(found)


def upper(text: str, longest: int = 1_000) -> str:
    return translated(take_apart(text, longest=longest), str.upper)


def shuffled(text: str) -> str:
    words = text.split()
    random.Random(7).shuffle(words)
    return " ".join(words)


TRANSLATORS: dict[str, Translator] = {
    "nothing changes": lambda text: text,
    "capitals": str.upper,
    "other letters": lambda text: re.sub("[aeiou]", "ä", text),
    "another order": shuffled,
    "backwards": lambda text: " ".join(reversed(text.split())),
    "doubled": lambda text: f"{text} {text}",
    "nothing left": lambda _: "",
    "letters apart": " ".join,
    "glued": lambda text: text.replace(" ", ""),
    "half": lambda text: text[: len(text) // 2],
    "other marks": lambda text: text + " zqbxz ⟦7⟧",
}


@given(TEXTS)
def test_a_translation_into_the_same_words_gives_the_text_back(text: str) -> None:
    layout = take_apart(text, longest=1_000)
    assert layout.rejoin({sentence: sentence for sentence in layout.sentences()}) == clean_text(
        text
    )


@given(TEXTS)
@example("A\t\u00ad")
@example("\u200b \u00adA b\u2060 {x}")
def test_only_what_has_letters_is_translated(text: str) -> None:
    for sentence in take_apart(text, longest=1_000).sentences():
        assert sentence == sentence.strip()
        assert any(character.isalpha() for character in sentence)


def test_layout_is_kept() -> None:
    text = "  One.  Two!\r\n\r\n\t* three\n---\n 42\n"
    assert upper(text) == "  ONE.  TWO!\r\n\r\n\t* THREE\n---\n 42\n"
    assert upper("a\t\u00ad\nb") == "A\t\u00ad\nB"


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    text = "word " * 100 + "end"
    layout = take_apart(text, longest=50)
    assert max(map(len, layout.sentences())) <= 50
    assert upper(text, 50) == text.upper()


@pytest.mark.parametrize("translator", TRANSLATORS.values(), ids=TRANSLATORS)
@given(text=MIXED.map(" ".join) | MIXED.map(", ".join) | TIGHT.map("".join))
def test_every_placeholder_survives_every_translator(translator: Translator, text: str) -> None:
    made = translated(take_apart(text), translator)
    for held in HELD:
        assert made.count(held) == text.count(held), (held, made)
    assert re.findall("</?b>", made) == re.findall("</?b>", text)


@pytest.mark.parametrize("translator", TRANSLATORS.values(), ids=TRANSLATORS)
@given(words=MIXED)
def test_so_it_does_in_html(translator: Translator, words: list[str]) -> None:
    text = "<p>" + " ".join(words) + "</p>"
    made = translated(take_apart(text, text_format=TextFormat.HTML), translator)
    for held in set(HELD) - {"<ph/>"}:
        assert made.count(held) == text.count(held), (held, made)
    assert re.findall("<[^>]*>", made) == re.findall("<[^>]*>", text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Hello {name}, see %s.", ["Hello zqaxz, see zqbxz."]),
        ("Click <b>here</b> now.", ["Click ⟦0⟧here⟦1⟧ now."]),
        ("<b>All of it.</b>", ["All of it."]),
        ("{name}", []),
        ("{a} {b}, {c}!", []),
        # What looks like a mark already goes in pieces.
        ("Take zqaxz and {name} home", ["Take zqaxz and", "home"]),
        # So does what is hardly a sentence.
        ("a " + "{x} a " * 13, ["a"] * 14),
    ],
)
def test_what_the_model_sees(text: str, sent: list[str]) -> None:
    assert take_apart(text).sentences() == sent


def test_pieces_do_not_begin_sentences() -> None:
    def forgetful(text: str) -> str:
        return text.replace("zqaxz", "").capitalize() + "."

    assert translated(take_apart("the old {x} is here"), forgetful) == "the old. {x} is here."


def test_terms_stand_in_for_their_translations() -> None:
    glossaries = [Terms({"gateway": "pasarela"}), Terms({"gateway": "portal", "key": "clave"})]
    layout = take_apart("The gateway key. Gateway", glossaries=glossaries)
    assert layout.sentences() == ["The zqaxz zqbxz."]
    assert translated(layout, str.upper) == "THE pasarela clave. Pasarela"
    assert translated(layout, lambda _: "nada") == "nada pasarela clave. Pasarela"


def test_without_marks_only_words_are_sent() -> None:
    layout = take_apart("Hello {name}, see <b>this</b>: 42", whole=False)
    assert layout.sentences() == ["Hello", "see", "this"]
    assert translated(layout, str.upper) == "HELLO {name}, SEE <b>THIS</b>: 42"


def test_a_placeholder_that_comes_first_leaves_the_sentence_as_it_is() -> None:
    def shifted(text: str) -> str:
        return text.replace("zqaxz is", "zqaxz Es")

    assert translated(take_apart("{name} is here."), shifted) == "{name} es here."
    assert translated(take_apart("{name}: Is here."), shifted) == "{name}: Is here."
