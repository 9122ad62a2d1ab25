from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

TABLE = """Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  en-us           --/M      English_(America)  gmw/en-US            (en 3)
 2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)
 5  es              --/M      Spanish_(Spain)    roa/es
 5  cmn             --/M      Chinese_(Mandarin) sit/cmn              (zh-cmn 5)(zh 5)
 1  hi              --/M      hindi-mbrola-1     mb/mb-in1
"""


@pytest.fixture
def voices(tts: ModuleType) -> Any:
    names = set(tts.parse_voices(TABLE))
    return tts.Voices(names, {"f5", "m6", "Alex"}, ["en", "es", "hi", "zh"])


def test_only_voices_that_need_nothing_else_are_listed(tts: ModuleType) -> None:
    assert tts.parse_voices(TABLE) == {
        "en-us": {"gmw/en-US"},
        "en-gb": {"gmw/en"},
        "es": {"roa/es"},
        "cmn": {"sit/cmn"},
    }
    assert tts.parse_voices("") == {}


def test_served_languages_are_those_with_a_voice(voices: Any) -> None:
    assert voices.languages == ["en", "es", "zh"]


@pytest.mark.parametrize(
    ("language", "speaker", "name"),
    [
        (b"en", b"female", "en-us+f5"),
        (b"en-GB", b"male", "en-gb+m6"),
        (b"en_XX", b"male", "en-us+m6"),
        (b"zh", b"female", "cmn+f5"),
        (b"en", b"en-us+Alex", "en-us+Alex"),
        (b"zh", b"cmn+f5", "cmn+f5"),
    ],
)
def test_voice_names(voices: Any, language: bytes, speaker: bytes, name: str) -> None:
    assert voices.resolve(language, speaker) == name


@pytest.mark.parametrize(
    "speaker",
    [
        b"",
        b"-f /etc/passwd",
        b"en-us+zz",
        b"../x+f5",
        b"es+f5",
        b"en-us",
        b"female\n",
        b"\xff",
        b"a\0",
    ],
)
def test_unknown_speakers(tts: ModuleType, voices: Any, speaker: bytes) -> None:
    with pytest.raises(tts.ClientError, match=r"^unknown_speaker:"):
        voices.resolve(b"en", speaker)


@pytest.mark.parametrize(
    "language", [b"", b"xx", b"en\n", b"$(id)", b"-v", b"hi", b"\xff", b"e" * 99]
)
def test_unknown_languages(tts: ModuleType, voices: Any, language: bytes) -> None:
    with pytest.raises(tts.ClientError, match=r"^unsupported_language: en,es,zh$"):
        voices.resolve(language, b"female")


def test_no_voice_at_all_is_an_engine_error(tts: ModuleType) -> None:
    with pytest.raises(tts.EngineError):
        tts.Voices(set(), set(), ["en"])


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("hello\x0150P", "hello 50P"),
        ("[[h@loU]]", "[ [h@loU]]"),
        ("[[[x", "[ [ [x"),
        ("a\ue000b\x07", "a b "),
        ("-f /etc/passwd", "-f /etc/passwd"),
        ('<audio src="x"/>', '<audio src="x"/>'),
        ("line\none\ttwo", "line\none\ttwo"),
    ],
)
def test_text_cannot_steer_the_engine(tts: ModuleType, raw: str, text: str) -> None:
    assert tts.clean_text(raw.encode()) == text


@given(st.text(max_size=300))
def test_no_text_keeps_a_command(tts: ModuleType, text: str) -> None:
    try:
        kept = tts.clean_text(text.encode("utf-8", "surrogatepass"))
    except tts.ClientError:
        return
    assert "[[" not in kept
    assert not any(ord(character) < 32 for character in kept if character not in "\n\t")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty_text"),
        (b" \n\t", "empty_text"),
        (b"\x01", "empty_text"),
        (b"a\0b", "invalid_text"),
        (b"\xff\xfe", "invalid_text"),
        (b"a" * 5001, "text_too_long"),
        (b"\xff" * 30_000, "text_too_long"),
    ],
)
def test_bad_texts(tts: ModuleType, raw: bytes, code: str) -> None:
    with pytest.raises(tts.ClientError, match=rf"^{code}:"):
        tts.clean_text(raw)


def test_the_longest_text_passes_in_characters_not_bytes(tts: ModuleType) -> None:
    assert len(tts.clean_text(("म" * 5000).encode())) == 5000


def test_speed_bounds(tts: ModuleType) -> None:
    assert tts.check_speed(140.4) == 140
    for speed in (79.9, 450.1, float("nan"), float("inf"), -1.0):
        with pytest.raises(tts.ClientError, match=r"^invalid_parameter: SPEED"):
            tts.check_speed(speed)


def test_a_missing_program_is_named(tts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(tts.EngineError, match="apt package espeak-ng"):
        tts.Synthesizer(["en"], 1.0)


def test_pitch_steps(tts: ModuleType) -> None:
    assert [tts.check_pitch(factor) for factor in (0.5, 0.75, 1.0, 1.5, 2.0)] == [0, 29, 50, 79, 99]
    for pitch in (0.49, 2.01, float("nan"), float("inf"), -1.0):
        with pytest.raises(tts.ClientError, match=r"^invalid_parameter: PITCH"):
            tts.check_pitch(pitch)


def test_samples_as_numbers(tts: ModuleType) -> None:
    made = tts.as_float(np.array([-32768, 0, 16384], np.int16))
    assert made.dtype == np.float32
    assert made.tolist() == [-1.0, 0.0, 0.5]
