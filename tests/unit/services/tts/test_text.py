import pytest

from services.tts.exceptions import SsmlUnsupported
from services.tts.services.text import prepare
from shared.text.problems import EmptyText


def spoken(text: str) -> list[str]:
    return [chunk.text for chunk in prepare(text, limit=400, pointer="/input/0/source")]


def test_wrapped_lines_are_one_sentence_and_empty_lines_end_one() -> None:
    text = "A heading\n \n\nThis sentence is\nwrapped over\r\nlines."
    assert spoken(text) == ["A heading", "This sentence is wrapped over lines."]


def test_what_has_no_sound_is_left_out() -> None:
    assert spoken("---\n\nWords.\n\n...") == ["Words."]


@pytest.mark.parametrize("text", ["", " ", "...", "\x00\x01", "\ufeff", "—", "\u200d"])
def test_nothing_to_speak(text: str) -> None:
    with pytest.raises(EmptyText) as error:
        spoken(text)
    assert (error.value.status, error.value.code) == (422, "empty_text")


@pytest.mark.parametrize(
    "text",
    ["<speak>a</speak>", "  <SPEAK version='1.0'>", "\ufeff<\x00speak>", "<?xml version='1.0'?>"],
)
def test_ssml_is_refused(text: str) -> None:
    with pytest.raises(SsmlUnsupported) as error:
        spoken(text)
    assert (error.value.status, error.value.code) == (422, "ssml_unsupported")


@pytest.mark.parametrize("text", ["<speaker on>", "<b>bold</b>", "1 < 2", "a <speak> later"])
def test_other_text_is_plain(text: str) -> None:
    assert spoken(text) == [text]


def test_control_characters_never_reach_the_model() -> None:
    assert spoken("a\x01b\x00c") == ["abc"]
