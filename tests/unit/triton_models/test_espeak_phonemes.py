"""Phonemes of eSpeak NG, the real program."""

from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import LINEAR, growth
from tests.unit.triton_models.conftest import load


@pytest.fixture(scope="module")
def request_of() -> ModuleType:
    return load("tts_piper", "speech_request")


@pytest.fixture(scope="module")
def espeak(request_of: ModuleType) -> ModuleType:
    assert request_of  # espeak_phonemes imports it by its name
    return load("tts_piper", "espeak_phonemes")


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Hello, world. How are you?", ["Hello,", "world.", "How are you?"]),
        ("It is 3.14 on example.org!", ["It is 3.14 on example.org!"]),
        ("नमस्ते। आप?!", ["नमस्ते.", "आप?"]),
        ("你好，世界。再见", ["你好,", "世界.", "再见."]),  # noqa: RUF001
        ('He said "no." Then left', ["He said no.", "Then left."]),
        ("one\n\ntwo — ... 😀", ["one.", "two."]),
        ("it's 50% (on) 10:30 -", ["it's 50% on 10:30 -."]),
        ("... — !", []),
        ("a" * 450, ["a" * 200, "a" * 200, "a" * 50 + "."]),
    ],
)
def test_clauses(espeak: ModuleType, text: str, clauses: list[str]) -> None:
    found = espeak.clauses_of(text)
    assert ["".join(one).lstrip('" ') for one in found] == clauses


@pytest.mark.parametrize("repeated", [".", ",", "a.", "...) ", "a, "])
def test_time_is_linear(espeak: ModuleType, repeated: str) -> None:
    def work(size: int) -> object:
        return espeak.clauses_of(repeated * (size // len(repeated)) + "a")

    assert growth(work, 1_000) < LINEAR


def test_long_clauses_are_cut_between_words(espeak: ModuleType) -> None:
    found = espeak.clauses_of("word " * 300)
    assert all(len(one.text) <= espeak.MAX_CLAUSE for one in found)
    assert " ".join(one.text for one in found) == ("word " * 300).strip()


def test_sentences_are_bounded(espeak: ModuleType) -> None:
    clauses = [espeak.Clause("x", mark) for mark in ",,.,"]
    spoken = ["a" * 200, "b " * 60, "c" * 700, "d"]
    found = espeak.sentences_of(clauses, spoken)
    assert [len(one) for one in found] == [201, 121, 300, 300, 101, 2]
    assert "".join(found).replace(" ", "").count("b") == 60


def test_sentences_keep_their_punctuation(espeak: ModuleType) -> None:
    found = espeak.Phonemizer(5.0).sentences("Hello, world. How are you?", "en-us")
    assert found == ["həlˈoʊ, wˈɜːld.", "hˈaʊ ɑːɹ juː?"]  # noqa: RUF001 - IPA


def test_another_language_inside_leaves_no_trace(espeak: ModuleType) -> None:
    (found,) = espeak.Phonemizer(5.0).sentences("the मैं घर", "hi")
    assert "(" not in found


def test_a_silent_clause_shifts_nothing(espeak: ModuleType) -> None:
    # U+A717 is a letter that no voice speaks.
    found = espeak.Phonemizer(5.0).sentences("one. \ua717. two. 3.", "en-us")
    assert found == ["wˈʌn.", "tˈuː.", "θɹˈiː."]  # noqa: RUF001 - IPA


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_is_spoken_or_refused(
    espeak: ModuleType, request_of: ModuleType, text: str
) -> None:
    try:
        found = espeak.Phonemizer(5.0).sentences(request_of.clean_text(text.encode()), "en-us")
    except request_of.ClientError:
        return
    assert all(found)


@pytest.mark.parametrize("voice", ["", "-v", "en us", "../en", "xx-no-such"])
def test_a_voice_that_is_none(espeak: ModuleType, request_of: ModuleType, voice: str) -> None:
    with pytest.raises(request_of.EngineError, match="voice"):
        espeak.Phonemizer(5.0).sentences("one", voice)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("a\n\nb\n\n", ["a", "b"]),
        ("a\nc\n\n\n\n", ["a c", ""]),
        ("\n\nb\n\n", ["", "b"]),
        ("(en)a(hi)\n\nb\n\n", ["a", "b"]),
        ("", None),
        ("a", None),
        ("a\n\nb\n", None),
        ("a\n\n\nb\n\n", None),
        ("a\n\nb\n\nc\n\n", None),
    ],
)
def test_replies(espeak: ModuleType, reply: str, found: list[str] | None) -> None:
    assert espeak.parse_reply(reply, 2) == found


def test_a_reply_of_another_form_is_asked_for_again(
    espeak: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(espeak, "parse_reply", lambda *_: None)
    assert espeak.Phonemizer(5.0).sentences("one. two.", "en-us") == ["wˈʌn.", "tˈuː."]  # noqa: RUF001


def test_a_missing_program_is_named(
    espeak: ModuleType, request_of: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(request_of.EngineError, match="apt package espeak-ng"):
        espeak.Phonemizer(1.0)
