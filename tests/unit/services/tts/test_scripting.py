"""From a text to parts in order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tts.models.script import Pause, Say
from services.tts.services.pronunciation import Pronunciations
from services.tts.services.scripting import write_script
from shared.problem import SpeechgateError
from shared.text.problems import EmptyText, TextTooLong
from tests.support.effort import least_seconds

POINTER = "/input/0/source"
PROSE = (
    "The old lighthouse keeper, who had lived on the island for thirty years, knew every rock "
    "and every current; he could tell the weather from the colour of the water. Nobody visited "
    "him in winter. In spring the first boats came, and with them letters, coffee and news. "
)


def says(text: str, language: str = "en", **changes: Any) -> list[Say]:
    given_: dict[str, Any] = {"markup": None, "limit": 400, "lexicon": {}, "pointer": POINTER}
    steps = write_script(text, language=language, **(given_ | changes))
    assert not any(isinstance(step, Pause) for step in steps)
    return [step for step in steps if isinstance(step, Say)]


def spoken(text: str, language: str = "en", **changes: Any) -> list[str]:
    return [say.text for say in says(text, language, **changes)]


def test_wrapped_lines_are_one_sentence_and_empty_lines_end_one() -> None:
    text = "A heading\n \n\nThis sentence is\nwrapped over\r\nlines."
    assert spoken(text) == ["A heading", "This sentence is wrapped over lines."]


def test_what_has_no_sound_is_left_out() -> None:
    assert spoken("---\n\nWords.\n\n...") == ["Words."]


@pytest.mark.parametrize(
    "text", ["", " ", "...", "\x00\x01", "\ufeff", "—", "\u200d", "😀", "\ue000", "***"]
)
def test_nothing_to_speak(text: str) -> None:
    with pytest.raises(EmptyText) as error:
        says(text)
    assert (error.value.status, error.value.code) == (422, "empty_text")


def test_control_characters_never_reach_the_model() -> None:
    assert spoken("a\x01b\x00c") == ["abc"]


def test_the_source_is_what_was_written() -> None:
    text = "Dr. Smith paid $3.50 on Jan. 5. He left at 3 p.m."
    first, second = says(text)
    assert first.source == "Dr. Smith paid $3.50 on Jan. 5."
    assert first.text == "Doctor Smith paid three dollars and fifty cents on January fifth."
    assert (second.source, second.text) == ("He left at 3 p.m.", "He left at three P.M.")


def test_the_first_part_is_short_and_later_ones_grow() -> None:
    parts = says(PROSE * 8)
    lengths = [len(part.text) for part in parts]
    assert 30 <= lengths[0] <= 100
    assert parts[0].text.endswith(",")
    assert not parts[0].ends_sentence
    assert max(lengths) <= 400
    assert lengths[0] < lengths[2] < max(lengths[3:-1])
    assert " ".join(part.source for part in parts) == " ".join((PROSE * 8).split())


def test_a_short_text_is_one_part() -> None:
    assert spoken("Good morning. How are you?") == ["Good morning. How are you?"]


def test_a_first_sentence_without_a_clause_is_cut_where_one_breathes() -> None:
    text = "word " * 14 + "and " + "more " * 30
    first = says(text)[0]
    assert first.text == ("word " * 14).strip()
    assert not first.ends_sentence


@pytest.mark.parametrize("limit", [50, 120, 400])
@pytest.mark.parametrize(
    "text",
    [
        PROSE * 5,
        "x" * 3_000,
        "12345678901234567890 " * 100,
        "1" * 3_000,
        "$999,999,999.99 " * 100,
        "\u4eca\u65e5\u306f\uff0c" * 500,
        "क्षत्रिय" * 300,
        "a,b" * 800,
    ],
    ids=["prose", "word", "digits", "number", "money", "wide", "marks", "glued"],
)
def test_no_part_is_longer_than_the_limit(text: str, limit: int) -> None:
    parts = says(text, limit=limit)
    assert max(len(part.text) for part in parts) <= limit
    assert all(part.text for part in parts)


def test_the_lexicon_is_spoken_as_given() -> None:
    lexicon = {"SQL": "sequel", "gif": "jif", "New York": "the big apple", "Acme Inc.": "Acme"}
    text = "SQL, sql and (SQL)! A GIF of New  York; NewYork. MySQL by Acme Inc. is SQL-like."
    assert " ".join(spoken(text, lexicon=lexicon)) == (
        "sequel, sql and (sequel)! A jif of the big apple; NewYork. MySQL by Acme is sequel-like."
    )
    assert " ".join(say.source for say in says(text, lexicon=lexicon)) == " ".join(text.split())


def test_the_longest_phrase_wins_and_an_alias_is_not_looked_at_again() -> None:
    lexicon = {"New": "old", "New York": "York", "York": "New", "5 km": "far"}
    assert spoken("New York, New Jersey, 5 km", lexicon=lexicon) == ["York, old Jersey, far"]


@pytest.mark.parametrize(("exact", "any_case"), [("a sequel", "s q l"), ("s q l", "a sequel")])
def test_what_is_written_just_so_is_before_what_is_found_in_any_case(
    exact: str, any_case: str
) -> None:
    lexicon = {"SQL": exact, "sql": any_case}
    assert spoken("SQL or sql.", lexicon=lexicon) == [f"{exact} or {any_case}."]


def test_the_lexicon_is_of_the_language_of_the_request() -> None:
    text = '<speak>chat <lang xml:lang="fr">chat</lang> <lang xml:lang="en-GB">chat</lang></speak>'
    assert spoken(text, lexicon={"chat": "talk"}) == ["talk", "chat", "talk"]


def test_words_without_spaces_between_them() -> None:
    assert spoken("我住在北京。", "zh", lexicon={"北京": "bei jing"}) == ["我住在bei jing。"]
    assert spoken("हिन्दी", "hi", lexicon={"हिन": "x"}) == ["हिन्दी"]


def test_a_lexicon_that_was_made_ready_is_used_as_it_is() -> None:
    ready = Pronunciations({"SQL": "sequel"})
    assert dict(ready) == {"SQL": "sequel"}
    assert spoken("SQL", lexicon=ready) == ["sequel"]


def test_an_alias_cannot_make_a_text_endless() -> None:
    with pytest.raises(TextTooLong):
        says("a " * 5_000, lexicon={"a": "b" * 200})


def test_a_large_lexicon_costs_little() -> None:
    ready = Pronunciations({f"term{number} a b c": "said" for number in range(1_000)})
    text = ("term1 a b " * 1_000)[:10_000]
    assert ready.find(text) == []
    assert least_seconds(lambda: ready.find(text), 0.2) < 0.2


def test_a_long_text_is_written_fast() -> None:
    text = (PROSE * 40)[:10_000]
    assert least_seconds(lambda: says(text), 0.2) < 0.2


def test_other_languages_keep_their_sentences() -> None:
    assert spoken("नमस्ते। आप कैसे हैं?", "hi") == ["नमस्ते। आप कैसे हैं?"]
    assert spoken("Es kostet 5 €. Wirklich?", "de") == ["Es kostet fünf Euro. Wirklich?"]


def test_markup_in_plain_text_is_only_text() -> None:
    (said,) = spoken('hello <audio src="/etc/hostname"/> [[fO:]]')
    assert "<" not in said
    assert "etc" in said


@given(
    text=st.text(max_size=200),
    markup=st.sampled_from([None, True, False]),
    language=st.sampled_from(["en", "en-GB", "de", "fr", "hi", "ja", "xx"]),
    limit=st.integers(min_value=50, max_value=400),
    lexicon=st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=4),
)
@settings(max_examples=500, deadline=None)
def test_any_text_is_written_or_refused(
    *, text: str, markup: bool | None, language: str, limit: int, lexicon: dict[str, str]
) -> None:
    parts, refused = [], 0
    try:
        parts = says_of(text, markup, language, limit, lexicon)
    except SpeechgateError as error:
        refused = error.status
    assert refused in ({0} if parts else {413, 422})
    assert all(0 < len(part.text) <= limit for part in parts)
    assert sum(len(part.text) for part in parts) <= 16 * len(text) + 1_000


def says_of(
    text: str,
    markup: bool | None,  # noqa: FBT001 - as the function under test has it
    language: str,
    limit: int,
    lexicon: dict[str, str],
) -> list[Say]:
    steps = write_script(
        text, markup=markup, language=language, limit=limit, lexicon=lexicon, pointer=POINTER
    )
    return [step for step in steps if isinstance(step, Say)]
