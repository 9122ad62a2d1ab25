"""What requests for speech may say to the models with voices of one's own."""

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.unit.triton_models.conftest import MODELS, load


@pytest.fixture(scope="module")
def request_of() -> ModuleType:
    return load("tts_piper", "speech_request")


@pytest.mark.parametrize("name", ["speech_request.py", "espeak_phonemes.py"])
def test_both_models_have_the_same_file(name: str) -> None:
    copies = [(MODELS / model / "1" / name).read_text() for model in ("tts_piper", "tts_sherpa")]
    assert copies[0] == copies[1]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty_text"),
        (b" \n\x01", "empty_text"),
        (b"a\0b", "invalid_text"),
        (b"\xff\xfe", "invalid_text"),
        (b"a" * 5001, "text_too_long"),
        (b"\xff" * 30_000, "text_too_long"),
    ],
)
def test_bad_texts(request_of: ModuleType, raw: bytes, code: str) -> None:
    with pytest.raises(request_of.ClientError, match=rf"^{code}:"):
        request_of.clean_text(raw)


def test_a_text_keeps_no_commands(request_of: ModuleType) -> None:
    assert request_of.clean_text("a\x01b[[x]]\ue000".encode()) == "a b[ [x]] "


def test_pace_and_pitch(request_of: ModuleType) -> None:
    assert request_of.check_speed(140) == 1
    assert request_of.check_speed(280) == 2
    assert request_of.check_pitch(0.5) == 0.5
    for check, values in (
        (request_of.check_speed, (79.9, 450.1, math.nan, math.inf)),
        (request_of.check_pitch, (0.49, 2.01, math.nan, -1.0)),
    ):
        for value in values:
            with pytest.raises(request_of.ClientError, match=r"^invalid_parameter: (SPEED|PITCH)"):
                check(value)


@pytest.mark.parametrize("factor", [0.5, 22_050 / 16_000, 2.0])
def test_resampling_keeps_a_tone_and_cuts_what_does_not_fit(
    request_of: ModuleType, factor: float
) -> None:
    times = np.arange(16_000) / 16_000
    low = np.sin(2 * np.pi * 440 * times).astype(np.float32)
    high = np.sin(2 * np.pi * 6_000 * times).astype(np.float32)
    made = request_of.resample(low + high, factor)
    assert made.dtype == np.float32
    assert made.size == round(16_000 * factor)
    expected = np.sin(2 * np.pi * 440 * np.arange(made.size) / made.size)
    if factor > 0.75:
        expected += np.sin(2 * np.pi * 6_000 * np.arange(made.size) / made.size)
    assert np.abs(made - expected).max() < 1e-3


def test_what_engines_make_is_bounded(request_of: ModuleType) -> None:
    joined = request_of.finish([np.array([2, -3], np.float32), np.array([0.5], np.float32)])
    assert joined.tolist() == [1.0, -1.0, 0.5]
    with pytest.raises(request_of.ClientError, match=r"^empty_text:"):
        request_of.finish([])
    with pytest.raises(request_of.EngineError, match="no numbers"):
        request_of.finish([np.array([np.nan], np.float32)])


class TestParameters:
    def test_a_folder_by_a_variable(
        self, request_of: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VOICES", str(tmp_path))
        assert request_of.folder_of("${VOICES}") == tmp_path
        for path, reason in (
            ("", "absolute path"),
            ("voices", "absolute path"),
            ("${NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE is not set"),
            ("/no/such/folder", "no folder /no/such/folder"),
        ):
            with pytest.raises(request_of.EngineError, match=reason):
                request_of.folder_of(path)

    def test_words_and_numbers(self, request_of: ModuleType) -> None:
        assert request_of.languages_of("en, hi_IN") == ["en", "hi_IN"]
        assert request_of.number({}, "threads", 3, 0) == 3
        assert request_of.one_of({"type": "b"}, "type", ["a", "b"]) == "b"
        for call in (
            lambda: request_of.languages_of("en,,hi"),
            lambda: request_of.languages_of("en;hi"),
            lambda: request_of.number({"threads": "-1"}, "threads", 0, 0),
            lambda: request_of.one_of({"type": "c"}, "type", ["a", "b"]),
        ):
            with pytest.raises(
                request_of.EngineError, match=r"^parameter (languages|threads|type)"
            ):
                call()

    def test_voices(self, request_of: ModuleType) -> None:
        entries = [
            {"name": "anna", "language": "en", "gender": "female"},
            {"name": "bert", "language": "en", "gender": "male", "speaker": 7},
        ]
        numbered = request_of.listed_voices(json.dumps(entries), numbered=True)
        assert [one.speaker for one in numbered] == ["0", "7"]
        named = request_of.listed_voices(json.dumps(entries), numbered=False)
        assert [one.speaker for one in named] == ["anna", "7"]
        assert request_of.listed_voices("", numbered=True) == []
        for text in ("{", "[1]", '[{"name": "x"}]', "3"):
            with pytest.raises(request_of.EngineError, match=r"^parameter voices:"):
                request_of.listed_voices(text, numbered=True)


class TestVoices:
    @pytest.fixture
    def voices(self, request_of: ModuleType) -> Any:
        listed = [
            request_of.Listed("anna", "en_US", "female", "us#0"),
            request_of.Listed("bert", "en_GB", "male", "gb"),
            request_of.Listed("clara", "en_GB", "female", "gb#1"),
        ]
        own = {"us": "en_US", "us#0": "en_US", "gb": "en_GB", "gb#1": "en_GB", "es": "es_ES"}
        return request_of.Voices(listed, own, ["en", "es"])

    @pytest.mark.parametrize(
        ("language", "speaker", "own"),
        [
            (b"en", b"female", "us#0"),
            (b"en-GB", b"female", "gb#1"),
            (b"en", b"male", "gb"),
            (b"en", b"bert", "gb"),
            (b"en", b"us", "us"),
            # Nobody is listed for it: whoever speaks it.
            (b"es-MX", b"female", "es"),
        ],
    )
    def test_who_is_meant(self, voices: Any, language: bytes, speaker: bytes, own: str) -> None:
        assert voices.resolve(language, speaker) == own

    @pytest.mark.parametrize("speaker", [b"", b"dora", b"es", b"\xff", b"../x", b"us#9"])
    def test_unknown_speakers(self, request_of: ModuleType, voices: Any, speaker: bytes) -> None:
        with pytest.raises(request_of.ClientError, match=r"^unknown_speaker: .*anna, bert"):
            voices.resolve(b"en", speaker)

    @pytest.mark.parametrize("language", [b"", b"fr", b"en\n", b"-v", b"\xff", b"e" * 99])
    def test_unknown_languages(self, request_of: ModuleType, voices: Any, language: bytes) -> None:
        with pytest.raises(request_of.ClientError, match=r"^unsupported_language: en,es$"):
            voices.resolve(language, b"female")

    def test_one_who_speaks_all_languages(self, request_of: ModuleType) -> None:
        voices = request_of.Voices([], {"0": "", "1": ""}, ["en", "hi"])
        assert voices.resolve(b"hi", b"male") == "0"
        assert voices.resolve(b"hi", b"1") == "1"

    def test_a_configuration_that_does_not_fit(self, request_of: ModuleType) -> None:
        with pytest.raises(request_of.EngineError, match="no voice speaks hi"):
            request_of.Voices([], {"0": "en"}, ["en", "hi"])
        listed = [request_of.Listed("anna", "en", "female", "9")]
        with pytest.raises(request_of.EngineError, match="no speaker 9"):
            request_of.Voices(listed, {"0": ""}, ["en"])
