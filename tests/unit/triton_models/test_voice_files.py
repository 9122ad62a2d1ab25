"""Files of voices of one's own: which are taken, and what is wrong with others."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.unit.triton_models.conftest import load

GOOD: dict[str, Any] = {
    "audio": {"sample_rate": 22_050},
    "espeak": {"voice": "en-us"},
    "language": {"code": "en_US"},
    "inference": {"noise_scale": 0.5, "length_scale": 1.1, "noise_w": 0.7},
    "phoneme_id_map": {"_": [0], "^": [1], "$": [2], "a": [3, 4], "b": [5]},
    "num_speakers": 1,
    "speaker_id_map": {},
}


@pytest.fixture(scope="module")
def request_of() -> ModuleType:
    return load("tts_piper", "speech_request")


@pytest.fixture(scope="module")
def piper_voice(request_of: ModuleType) -> ModuleType:
    assert request_of  # the others import it by its name
    return load("tts_piper", "piper_voice")


@pytest.fixture(scope="module")
def piper(piper_voice: ModuleType) -> ModuleType:
    assert piper_voice
    load("tts_piper", "espeak_phonemes")
    return load("tts_piper", "piper_engine")


@pytest.fixture(scope="module")
def sherpa(request_of: ModuleType) -> ModuleType:
    assert request_of
    return load("tts_sherpa", "sherpa_tts_weights")


class TestPiper:
    def read(self, module: ModuleType, folder: Path, **changes: Any) -> Any:
        file = folder / "x.onnx.json"
        content = {name: one for name, one in {**GOOD, **changes}.items() if one is not None}
        file.write_text(json.dumps(content))
        return module.Settings.read(file)

    def test_a_configuration(self, piper_voice: ModuleType, tmp_path: Path) -> None:
        found = self.read(piper_voice, tmp_path)
        assert (found.language, found.espeak, found.sampling_rate) == ("en_US", "en-us", 22_050)
        assert found.scales == [0.5, 1.1, 0.7]
        assert found.speakers == {}
        many = self.read(piper_voice, tmp_path, num_speakers=2)
        assert many.speakers == {"0": 0, "1": 1}
        letters = self.read(piper_voice, tmp_path, phoneme_type="text", espeak=None)
        assert letters.espeak == ""

    @pytest.mark.parametrize(
        "changes",
        [
            {"audio": None},
            {"audio": {"sample_rate": 0}},
            {"phoneme_id_map": None},
            {"phoneme_id_map": {"a": [1]}},
            {"phoneme_id_map": [1]},
            {"phoneme_type": "pinyin"},
            {"espeak": None},
            {"speaker_id_map": {"a": "b"}},
        ],
    )
    def test_a_configuration_that_is_none(
        self,
        piper_voice: ModuleType,
        request_of: ModuleType,
        tmp_path: Path,
        changes: dict[str, Any],
    ) -> None:
        with pytest.raises(request_of.EngineError, match=r"^x\.onnx\.json"):
            self.read(piper_voice, tmp_path, **changes)

    def test_numbers(self, piper_voice: ModuleType) -> None:
        ids = GOOD["phoneme_id_map"]
        assert piper_voice.numbers_of("aB?b", ids) == [1, 0, 3, 4, 0, 5, 0, 5, 0, 2]
        assert piper_voice.numbers_of("?!", ids) == []

    def test_a_folder(self, piper: ModuleType, request_of: ModuleType, tmp_path: Path) -> None:
        with pytest.raises(request_of.EngineError, match=r"NAME\.onnx and NAME\.onnx\.json"):
            piper.find_voices(tmp_path)
        (tmp_path / "a.onnx").write_text("x")
        with pytest.raises(request_of.EngineError, match=r"voice a in .*: without a\.onnx\.json"):
            piper.find_voices(tmp_path)
        (tmp_path / "a.onnx.json").write_text("{}")
        assert piper.find_voices(tmp_path) == {"a": tmp_path / "a.onnx"}


class TestSherpa:
    def options(self, module: ModuleType, folder: Path, **values: str) -> Any:
        given = {"path": str(folder), "languages": "en", **values}
        return module.Options.of({name: {"string_value": one} for name, one in given.items()})

    def test_files_of_each_type(self, sherpa: ModuleType, tmp_path: Path) -> None:
        for name in ("model.onnx", "tokens.txt", "voices.bin", "date.fst"):
            (tmp_path / name).write_text("x")
        vits = sherpa.find_files(self.options(sherpa, tmp_path, rule_fsts="date.fst"))
        assert Path(vits["model"]).name == "model.onnx"
        assert Path(vits["rule_fsts"]).name == "date.fst"
        assert vits["lexicon"] == ""
        kokoro = sherpa.find_files(self.options(sherpa, tmp_path, type="kokoro"))
        assert Path(kokoro["voices"]).name == "voices.bin"
        (tmp_path / "vocos-22khz-univ.onnx").write_text("x")
        matcha = sherpa.find_files(self.options(sherpa, tmp_path, type="matcha"))
        assert Path(matcha["acoustic_model"]).name == "model.onnx"
        assert Path(matcha["vocoder"]).name == "vocos-22khz-univ.onnx"

    def test_what_the_weights_read(self, sherpa: ModuleType, tmp_path: Path) -> None:
        assert not self.options(sherpa, tmp_path).reads_text
        assert self.options(sherpa, tmp_path, frontend="text").reads_text
        for name in ("lexicon-us-en.txt", "lexicon-zh.txt", "model.onnx", "tokens.txt"):
            (tmp_path / name).write_text("x")
        options = self.options(sherpa, tmp_path)
        assert options.reads_text
        assert sherpa.find_files(options)["lexicon"].count("lexicon-") == 2
        assert not self.options(sherpa, tmp_path, frontend="espeak").reads_text

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"type": "hmm"}, "parameter type: give one of vits, kokoro, matcha"),
            ({"frontend": "x"}, "parameter frontend"),
            ({"threads": "x"}, "parameter threads"),
            ({"voices": "x"}, "parameter voices"),
            ({"rule_fsts": "no.fst"}, r"no file no\.fst"),
            ({"rule_fsts": "../x"}, "no file"),
            ({"type": "kokoro"}, r"give one file voices\.bin, found none"),
            ({}, r"give one file \*\.onnx, found a\.onnx, b\.onnx"),
        ],
    )
    def test_what_is_wrong_is_named(
        self,
        sherpa: ModuleType,
        request_of: ModuleType,
        tmp_path: Path,
        values: dict[str, str],
        reason: str,
    ) -> None:
        names = ("a.onnx", "b.onnx") if not values else ("a.onnx",)
        for name in (*names, "tokens.txt"):
            (tmp_path / name).write_text("x")
        with pytest.raises(request_of.EngineError, match=reason):
            sherpa.find_files(self.options(sherpa, tmp_path, **values))

    def test_options_pass_to_another_process(self, sherpa: ModuleType, tmp_path: Path) -> None:
        voices = '[{"name": "anna", "language": "en", "gender": "female"}]'
        options = self.options(sherpa, tmp_path, voices=voices, espeak_voice="en-gb")
        assert sherpa.Options.read(json.loads(json.dumps(options.write()))) == options
