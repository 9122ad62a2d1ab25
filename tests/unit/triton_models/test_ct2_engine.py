"""What translation with weights of one's own does without the engine: languages, texts, files."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.effort import LINEAR, growth
from tests.unit.triton_models.conftest import load


@pytest.fixture(scope="module")
def languages() -> ModuleType:
    return load("nmt_ctranslate2", "ct2_languages")


@pytest.fixture(scope="module")
def texts(languages: ModuleType) -> ModuleType:
    assert languages  # the others import it by its name
    return load("nmt_ctranslate2", "ct2_text")


@pytest.fixture(scope="module")
def indic() -> ModuleType:
    return load("nmt_ctranslate2", "ct2_indic")


@pytest.fixture(scope="module")
def families(languages: ModuleType, indic: ModuleType) -> ModuleType:
    assert languages
    assert indic
    return load("nmt_ctranslate2", "ct2_families")


@pytest.fixture(scope="module")
def engine(families: ModuleType, texts: ModuleType) -> ModuleType:
    assert families
    assert texts
    return load("nmt_ctranslate2", "ct2_engine")


class Words:
    """Subwords that are words."""

    def cut(self, text: str) -> list[str]:
        return text.split()

    def join(self, pieces: list[str]) -> str:
        return " ".join(pieces)


class TestLanguages:
    @pytest.mark.parametrize(
        ("code", "tag"),
        [
            ("hi", "hin_Deva"),
            ("hin_Deva", "hin_Deva"),
            ("hi-Deva", "hin_Deva"),
            ("hi_IN", "hin_Deva"),
            ("eng", "eng_Latn"),
            ("zh-Hant", "zho_Hant"),
            ("mni_Mtei", "mni_Mtei"),
            ("kok", "gom_Deva"),
            ("xyz", ""),
        ],
    )
    def test_tags(self, languages: ModuleType, code: str, tag: str) -> None:
        assert languages.language_of(code).flores == tag

    @pytest.mark.parametrize(
        ("source", "target", "served"),
        [
            (b"en", b"hi", "en-hi"),
            (b"eng_Latn", b"hin_Deva", "en-hi"),
            (b"en-US", b"hi", "en-hi"),
            (b"en", b"sd", "en-sd_Deva"),
            (b"en", b"sd_Deva", "en-sd_Deva"),
            (b"en", b"snd_Arab", "en-sd"),
        ],
    )
    def test_pairs(self, languages: ModuleType, source: bytes, target: bytes, served: str) -> None:
        directions = languages.directions_of("en-hi, en-sd_Deva, en-sd")
        assert str(languages.check_pair(source, target, directions)) == served

    @pytest.mark.parametrize(
        ("source", "target"),
        [
            (b"hi", b"en"),
            (b"en", b"hi_Latn"),
            (b"en", b"hi\n"),
            (b"", b"hi"),
            (b"\xff", b"hi"),
            (b"e" * 99, b"hi"),
        ],
    )
    def test_what_is_not_served(self, languages: ModuleType, source: bytes, target: bytes) -> None:
        with pytest.raises(languages.ClientError, match=r"^unsupported_language: en-hi$"):
            languages.check_pair(source, target, languages.directions_of("en-hi"))

    @pytest.mark.parametrize("text", ["", "en", "en-hi,", "en-hi-ta", "e-h", "en_hi"])
    def test_malformed_pairs(self, languages: ModuleType, text: str) -> None:
        with pytest.raises(languages.EngineError, match="parameter languages"):
            languages.directions_of(text)


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "sentences"),
        [
            ("One. Two!\nThree", ["One.", "Two!", "Three"]),
            ("Dr. Rao paid 3.50 to J. Doe. Then he left.", None),
            ("नमस्ते। आप कैसे हैं?", ["नमस्ते।", "आप कैसे हैं?"]),
            ("e.g. this stays whole", ["e.g. this stays whole"]),
            ("  ", []),
            ("", []),
        ],
    )
    def test_sentences(self, texts: ModuleType, text: str, sentences: list[str] | None) -> None:
        expected = sentences
        if expected is None:
            expected = ["Dr. Rao paid 3.50 to J. Doe.", "Then he left."]
        assert [one.text for one in texts.pieces_of(text) if one.text] == expected

    @pytest.mark.parametrize(
        ("repeated", "end"), [(".", "a"), ("... ", "a"), ("a", ". A"), ("A. ", ""), (".) ", "a")]
    )
    def test_time_is_linear(self, texts: ModuleType, repeated: str, end: str) -> None:
        def work(size: int) -> object:
            return texts.pieces_of(repeated * (size // len(repeated)) + end * (size // 50))

        assert growth(work, 1_000) < LINEAR

    @given(st.text(max_size=200))
    def test_nothing_is_lost(self, texts: ModuleType, text: str) -> None:
        assert "".join("".join(one) for one in texts.pieces_of(text)) == text

    def test_halves(self, texts: ModuleType) -> None:
        assert texts.halves_of("one two three four") == ["one two", "three four"]
        assert texts.halves_of("abcd") == ["ab", "cd"]
        assert texts.joiner("ab cd") == " "
        assert texts.joiner("abcd") == ""

    @pytest.mark.parametrize(
        ("raw", "code"),
        [(b"a\0b", "invalid_text"), (b"\xc3(", "invalid_text"), (b"a" * 5001, "text_too_long")],
    )
    def test_bad_texts(
        self, texts: ModuleType, languages: ModuleType, raw: bytes, code: str
    ) -> None:
        with pytest.raises(languages.ClientError, match=rf"^{code}:"):
            texts.clean_text(raw)


class TestIndicScripts:
    @pytest.mark.parametrize(
        ("text", "script", "folded"),
        [
            ("বাংলা", "Beng", "बांला"),
            ("ಕನ್ನಡ", "Knda", "कन्नड"),
            ("हिन्दी।", "Deva", "हिन्दी।"),
            ("abc 1", "Taml", "abc 1"),
            ("اردو", "Arab", "اردو"),
        ],
    )
    def test_folding(self, indic: ModuleType, text: str, script: str, folded: str) -> None:
        assert indic.fold(text, script) == folded
        assert indic.unfold(folded, script) == text

    def test_tamil_has_one_letter_for_four(self, indic: ModuleType) -> None:
        assert indic.unfold("कखगघङ जझ", "Taml") == "ககககங ஜச"

    def test_punctuation(self, indic: ModuleType) -> None:
        assert indic.before("नमस्ते, दुनिया 3.5।", "hin_Deva") == "नमस्ते , दुनिया 3.5 ।"
        assert indic.before("Don't go, Ann (now).", "eng_Latn") == "Don 't go , Ann ( now ) ."
        assert indic.after("Do n't go , Ann ( now ) .", "eng_Latn") == "Do n't go, Ann (now)."
        assert indic.after("Ann 's .", "eng_Latn") == "Ann's."
        assert indic.after("कन्नड ।", "kan_Knda") == "ಕನ್ನಡ।"


class TestFamilies:
    def test_where_languages_are_named(self, families: ModuleType, languages: ModuleType) -> None:
        (direction,) = languages.directions_of("en-hi")
        known = frozenset({"eng_Latn", "hin_Deva"})
        nllb = families.Multilingual(Words(), known, ["</s>"])
        assert nllb.source("a b", direction) == ["eng_Latn", "a", "b", "</s>"]
        assert nllb.prefix(direction) == ["hin_Deva"]
        assert nllb.text(["hin_Deva", "x", "<unk>", "y", "</s>"], direction) == "x y"
        m2m = families.Multilingual(Words(), frozenset({"__en__", "__hi__"}), [])
        assert m2m.source("a", direction) == ["__en__", "a"]
        indic = families.IndicTrans(Words(), Words(), known, ["</s>"])
        assert indic.source("a.", direction) == ["eng_Latn", "hin_Deva", "a", ".", "</s>"]
        assert indic.prefix(direction) is None
        marian = families.Marian(Words(), Words(), frozenset({">>hin<<", "a"}), ["</s>"])
        assert marian.source("a", direction) == [">>hin<<", "a", "</s>"]
        plain = families.Marian(Words(), Words(), frozenset({"a"}), ["</s>"])
        assert plain.source("a", direction) == ["a", "</s>"]

    @pytest.mark.parametrize("family", ["Multilingual", "IndicTrans", "Marian"])
    def test_a_language_that_the_weights_do_not_know(
        self, families: ModuleType, languages: ModuleType, family: str
    ) -> None:
        (direction,) = languages.directions_of("en-ta")
        known = frozenset({"eng_Latn", "hin_Deva", ">>hin<<"})
        sides = (Words(),) if family == "Multilingual" else (Words(), Words())
        made = getattr(families, family)(*sides, known, [])
        with pytest.raises(languages.EngineError, match="do not know ta"):
            made.check(direction)

    def test_the_family_by_the_folder(self, families: ModuleType, tmp_path: Path) -> None:
        assert families.guess_family(tmp_path) == "nllb"
        (tmp_path / "vocab").mkdir()
        (tmp_path / "vocab" / "model.SRC").touch()
        assert families.guess_family(tmp_path) == "indictrans"
        (tmp_path / "source.spm").touch()
        assert families.guess_family(tmp_path) == "marian"

    def test_files_that_are_missing(
        self, families: ModuleType, languages: ModuleType, tmp_path: Path
    ) -> None:
        for name, content, reason in (
            ("config.json", "{", "without config.json"),
            ("config.json", "{}", "without a source vocabulary"),
            ("shared_vocabulary.json", "{", "is no vocabulary"),
            ("shared_vocabulary.json", '["a"]', r"one \*\.model .* or tokenizer\.json, found none"),
            ("source.spm", "x", r"without target\.spm"),
        ):
            (tmp_path / name).write_text(content)
            with pytest.raises(languages.EngineError, match=reason):
                families.make_family(tmp_path, "auto")


class TestOptions:
    def options(self, engine: ModuleType, folder: Path, **values: str) -> Any:
        given = {"path": str(folder), "languages": "en-hi", **values}
        return engine.Options.of({name: {"string_value": one} for name, one in given.items()})

    def test_what_is_wrong_is_named(
        self, engine: ModuleType, languages: ModuleType, tmp_path: Path
    ) -> None:
        assert self.options(engine, tmp_path, beam_size="2").beam_size == 2
        for values, reason in (
            ({"path": "weights"}, "absolute path"),
            ({"path": "${NO_SUCH_VARIABLE}"}, "NO_SUCH_VARIABLE is not set"),
            ({"path": "/no/such/folder"}, "no folder"),
            ({"family": "rnn"}, "parameter family: give one of auto, nllb, indictrans, marian"),
            ({"beam_size": "0"}, "parameter beam_size"),
        ):
            with pytest.raises(languages.EngineError, match=reason):
                self.options(engine, tmp_path, **values)
        with pytest.raises(languages.EngineError, match=r"without model\.bin"):
            engine.Translator(self.options(engine, tmp_path))
        (tmp_path / "config.json").write_text(json.dumps({}))
