"""Words in Latin letters: what they may mean, and how Indian words are spelled."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.triton_models.conftest import load


@pytest.fixture(scope="module")
def latin() -> ModuleType:
    return load("transliteration", "transliteration_latin")


@pytest.fixture(scope="module")
def texts() -> ModuleType:
    return load("transliteration", "transliteration_text")


@pytest.mark.parametrize(
    ("word", "language", "spelled"),
    [
        ("नमस्ते", "hi", "namaste"),
        ("भारत", "hi", "bharat"),
        ("समझना", "hi", "samajhna"),
        ("नमकीन", "hi", "namkin"),
        ("हिन्दी", "hi", "hindi"),
        ("मुंबई", "mr", "mumbai"),
        ("लड़का", "hi", "ladka"),
        ("न", "hi", "na"),
        ("राम", "sa", "rama"),
        ("दुनिया", "hi", "duniya"),
        ("ज्ञान", "hi", "gyan"),
        ("बांला", "bn", "bangla"),
        ("मलयाळं", "ml", "malayalam"),
    ],
)
def test_how_words_are_spelled(latin: ModuleType, word: str, language: str, spelled: str) -> None:
    assert latin.spellings(word, language)[0] == spelled


def test_long_vowels_may_be_doubled(latin: ModuleType) -> None:
    assert latin.spellings("दूरी", "hi") == ["duri", "dooree"]


@pytest.mark.parametrize(
    ("word", "language", "first"),
    [
        ("namaste", "hi", "namaste"),
        ("hindi", "hi", "hiMdI"),
        ("Delhi", "hi", "delhI"),
        ("bhAratam", "sa", "bhAratam"),
        ("café", "hi", "kafe"),
        ("accha", "hi", "acChA"),
        ("chhatri", "hi", "ChatrI"),
        ("kahani", "hi", "kahAnI"),
        ("zindagi", "hi", "ziMdagI"),
        ("india", "hi", "iMdiyA"),
        ("bangla", "bn", "baMlA"),
        ("telugu", "te", "tèlugu"),
    ],
)
def test_the_first_reading(latin: ModuleType, word: str, language: str, first: str) -> None:
    assert latin.readings(word, language)[0] == first


def test_other_readings_have_long_vowels_and_hard_consonants(latin: ModuleType) -> None:
    found = latin.readings("bharat", "hi")
    assert {"bhArat", "bharAt", "bhArAt", "bharaT"} <= set(found)
    assert len(found) == len(set(found))


@given(st.text(st.characters(min_codepoint=0x900, max_codepoint=0x97F), max_size=30))
def test_any_word_is_spelled(latin: ModuleType, word: str) -> None:
    assert len(latin.spellings(word, "hi")) == 2


class TestTexts:
    @pytest.mark.parametrize(
        ("source", "target", "pair"),
        [
            (b"en", b"hi", ("en", "hi")),
            (b"eng_Latn", b"hin_Deva", ("en", "hi")),
            (b"hi_Latn", b"hi", ("en", "hi")),
            (b"hi-IN", b"en", ("hi", "en")),
        ],
    )
    def test_pairs(
        self, texts: ModuleType, source: bytes, target: bytes, pair: tuple[str, str]
    ) -> None:
        assert texts.check_pair(source, target, ["en-hi", "hi-en"]) == pair

    @pytest.mark.parametrize("code", [b"", b"xx", b"hi\n", b"\xff", b"e" * 99])
    def test_what_is_not_served(self, texts: ModuleType, code: bytes) -> None:
        with pytest.raises(texts.ClientError, match=r"^unsupported_language: en-hi$"):
            texts.check_pair(b"en", code, ["en-hi"])

    @given(st.text(max_size=100))
    def test_nothing_is_lost(self, texts: ModuleType, text: str) -> None:
        for language in ("en", "hi", "ta"):
            parts = texts.parts_of(text, texts.word_pattern(language))
            assert "".join(part.text for part in parts) == text

    def test_digits_and_full_stops(self, texts: ModuleType) -> None:
        assert texts.between(" १२। ", "hi", "en") == " 12. "
        assert texts.between(" १२। ", "hi", "ta") == " ௧௨। "
        assert texts.between(" 12. ", "en", "hi") == " 12. "

    def test_bounds(self, texts: ModuleType) -> None:
        assert texts.check_topk(0) == 1
        for call in (
            lambda: texts.check_topk(21),
            lambda: texts.clean_text(b"a\0"),
            lambda: texts.clean_text(b"\xff"),
            lambda: texts.clean_text(b"a" * 5001),
        ):
            with pytest.raises(texts.ClientError, match=r"^[a-z_]+: "):
                call()
