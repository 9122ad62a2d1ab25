"""What the engines for weights of one's own do without the engines: parameters, files, words."""

from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.triton_models.conftest import load


@pytest.fixture(scope="module")
def whisper() -> ModuleType:
    return load("asr_whisper", "whisper_engine")


@pytest.fixture(scope="module")
def weights() -> ModuleType:
    return load("asr_sherpa", "sherpa_weights")


@pytest.fixture(scope="module")
def words() -> ModuleType:
    return load("asr_sherpa", "sherpa_words")


@pytest.fixture(scope="module")
def sherpa(weights: ModuleType, words: ModuleType) -> ModuleType:
    assert weights  # sherpa_engine imports both by their names
    assert words
    return load("asr_sherpa", "sherpa_engine")


def parameters(**values: str) -> dict[str, dict[str, str]]:
    return {name: {"string_value": value} for name, value in values.items()}


class TestParameters:
    @pytest.mark.parametrize("model", ["whisper", "weights"])
    def test_a_variable_of_the_environment(
        self,
        request: pytest.FixtureRequest,
        model: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        engine = request.getfixturevalue(model)
        (tmp_path / "small").mkdir()
        monkeypatch.setenv("WEIGHTS", str(tmp_path))
        options = engine.Options.of(parameters(path="${WEIGHTS}/small", languages="en, hi"))
        assert (options.path, options.languages) == (tmp_path / "small", ["en", "hi"])

    @pytest.mark.parametrize("model", ["whisper", "weights"])
    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"path": ""}, "absolute path"),
            ({"path": "weights"}, "absolute path"),
            ({"path": "/no/such/folder"}, "no folder /no/such/folder"),
            ({"path": "${NO_SUCH_VARIABLE}"}, "NO_SUCH_VARIABLE is not set"),
            ({"languages": ""}, "parameter languages"),
            ({"languages": "en,,hi"}, "parameter languages"),
            ({"threads": "many"}, "parameter threads"),
        ],
    )
    def test_what_is_wrong_is_named(
        self,
        request: pytest.FixtureRequest,
        model: str,
        tmp_path: Path,
        values: dict[str, str],
        reason: str,
    ) -> None:
        engine = request.getfixturevalue(model)
        good = {"path": str(tmp_path), "languages": "en", "threads": "0"}
        with pytest.raises(engine.EngineError, match=reason):
            engine.Options.of(parameters(**{**good, **values}))


class TestFiles:
    def test_whisper_names_what_is_missing(self, whisper: ModuleType, tmp_path: Path) -> None:
        (tmp_path / "model.bin").write_bytes(b"x")
        (tmp_path / "config.json").touch()
        with pytest.raises(
            whisper.EngineError, match=r"without config\.json, tokenizer\.json, vocabulary\.json or"
        ):
            whisper.check_files(tmp_path)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (tmp_path / name).write_text("x")
        whisper.check_files(tmp_path)

    def test_sherpa_chooses_by_precision(self, weights: ModuleType, tmp_path: Path) -> None:
        for part in ("encoder", "decoder", "joiner"):
            for ending in (".onnx", ".int8.onnx"):
                (tmp_path / f"{part}-epoch-9{ending}").write_text("x")
        (tmp_path / "tokens.txt").write_text("x")
        for precision, ending in (("float32", "9.onnx"), ("int8", "9.int8.onnx")):
            options = weights.Options(tmp_path, ["en"], "transducer", precision)
            files = weights.find_files(options)
            assert set(files) == {"encoder", "decoder", "joiner", "tokens"}
            assert files["encoder"].endswith(ending)
        (tmp_path / "encoder-epoch-8.onnx").write_text("x")
        with pytest.raises(weights.EngineError, match=r"found encoder-epoch-8\.onnx, enc"):
            weights.find_files(weights.Options(tmp_path, ["en"], "transducer"))


class TestWords:
    @pytest.mark.parametrize(
        ("tokens", "text", "expected"),
        [
            (["▁he", "llo", "▁you"], "hello you", ["hello", "you"]),
            ([" he", "llo", " you"], "hello you", ["hello", "you"]),
            (["he@@", "llo", "you"], "hello you", ["hello", "you"]),
            (["你", "好"], "你好", ["你", "好"]),
            (["▁", "a"], "a", ["a"]),
            (["▁Ã", "©"], "é", []),
            ([], "", []),
        ],
    )
    def test_tokens_become_words(
        self, words: ModuleType, tokens: list[str], text: str, expected: list[str]
    ) -> None:
        times = [index * 0.4 for index in range(len(tokens))]
        found = words.words_of(tokens, times, [], text, 0.0, 9.0)
        assert [word["word"] for word in found] == expected

    def test_times_and_confidences(self, words: ModuleType) -> None:
        found = words.words_of(
            ["▁a", "b", "▁c"], [0.0, 0.1, 2.9], [-0.1, -0.2, 0.5], "ab c", 10.0, 13.0
        )
        assert [(word["start"], word["end"]) for word in found] == [(10.0, 10.35), (12.9, 13.0)]
        assert found[0]["confidence"] == pytest.approx(0.8618, abs=1e-3)
        assert found[1]["confidence"] == 1.0

    def test_without_times_there_are_no_words(self, words: ModuleType) -> None:
        assert words.words_of(["▁a"], [], [], "a", 0.0, 1.0) == []

    def test_words_of_whisper_stay_in_order(self, whisper: ModuleType) -> None:
        def word(text: str, start: float, end: float, probability: float = 0.5) -> Any:
            return SimpleNamespace(word=text, start=start, end=end, probability=probability)

        segments = [
            SimpleNamespace(words=[word(" one,", 0.0, 1.0), word(" \ufffd", 1.0, 1.1)]),
            SimpleNamespace(words=None),
            SimpleNamespace(words=[word(" two", 0.5, 9.0, 1.5)]),
        ]
        found = whisper.words_of(segments, 2.0)
        assert [(one["word"], one["start"], one["end"]) for one in found] == [
            ("one,", 0.0, 1.0),
            ("two", 1.0, 2.0),
        ]
        assert found[1]["confidence"] == 1.0


class TestBounds:
    @pytest.mark.parametrize("model", ["whisper", "sherpa"])
    def test_requests_at_fault(self, request: pytest.FixtureRequest, model: str) -> None:
        engine = request.getfixturevalue(model)
        assert engine.check_language(b"en-US", ["en"]) == "en"
        assert engine.check_topk(0) == 1
        for call in (
            lambda: engine.check_language(b"xx", ["en"]),
            lambda: engine.check_language(b"en;id", ["en"]),
            lambda: engine.check_audio(np.zeros(0, np.int16)),
            lambda: engine.check_audio(np.zeros(600 * 16_000 + 1, np.int16)),
            lambda: engine.check_topk(11),
        ):
            with pytest.raises(engine.ClientError, match=r"^[a-z_]+: "):
                call()

    def test_pieces_are_cut_where_it_is_quiet(self, sherpa: ModuleType) -> None:
        pcm = np.full(100 * 16_000, 1_000, np.int16)
        pcm[20 * 16_000 : 20 * 16_000 + 8_000] = 0
        bounds = sherpa.chunk_bounds(pcm)
        assert bounds[0][0] == 0
        assert bounds[-1][1] == pcm.size
        assert 20 * 16_000 <= bounds[0][1] <= 20 * 16_000 + 8_000
        for (_, end), (start, _) in pairwise(bounds):
            assert end == start
        assert all(0 < end - start <= 28 * 16_000 for start, end in bounds)
