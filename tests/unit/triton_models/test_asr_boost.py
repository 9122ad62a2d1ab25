from types import ModuleType

import pytest


@pytest.fixture
def boost(asr: ModuleType, asr_boost: ModuleType) -> ModuleType:
    assert asr
    return asr_boost


@pytest.mark.parametrize(
    ("raw", "phrases"),
    [
        ([], ()),
        ([b"Ill-Disposed"], ("ill disposed",)),
        ([" Zoë’s  café ".encode()], ("zoe's cafe",)),
        ([b"mr. bennet", b"Mr. Bennet"], ("mr. bennet",)),
        ([b"a b c d e f g h"], ("a b c d e f g h",)),
    ],
)
def test_phrases(boost: ModuleType, raw: list[bytes], phrases: tuple[str, ...]) -> None:
    assert boost.check_boost(raw) == phrases


@pytest.mark.parametrize(
    "raw",
    [
        [b""], [b" "], [b"covid 19"], [b"a~b"], [b"<sil>"], [b"was(2)"], ["नमस्ते".encode()],
        [b"\xff\xfe"], [b"a\0b"], [b"x" * 65], [b"x" * 100_000], [b"a b c d e f g h i"],
        [b"'"], [b"word"] * 101,
    ],
)  # fmt: skip
def test_what_cannot_be_spoken_is_refused(
    asr: ModuleType, boost: ModuleType, raw: list[bytes]
) -> None:
    with pytest.raises(asr.ClientError, match=r"^invalid_parameter: BOOST"):
        boost.check_boost(raw)


def test_a_phrase_is_parted_into_its_words(boost: ModuleType) -> None:
    segment = ("ill~disposed~(2)", 100, 199, 0.9)
    assert boost.split_segment(segment, [2, 8]) == [
        ("ill", 100, 119, 0.9),
        ("disposed", 120, 199, 0.9),
    ]
    booster = boost.Booster({})
    booster._phones = {"ill~disposed~": [2, 8]}
    plain = ("young(2)", 200, 210, 0.5)
    assert booster.words_of([segment, plain])[1:] == [("disposed", 120, 199, 0.9), plain]
    assert booster.text_of("an ill~disposed~ man") == "an ill disposed man"


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("knight", "N AY T"),
        ("shape", "SH EY P"),
        ("nation", "N AE SH AH N"),
        ("thinking", "TH IH NG K IH NG"),
        ("bbc", "B IY B IY S IY"),
        ("o'brian", "AA B R IH AE N"),
    ],
)
def test_pronunciations_by_rule(asr_g2p: ModuleType, word: str, first: str) -> None:
    assert asr_g2p.pronounce(word)[0] == first


def test_every_word_has_a_pronunciation(asr_g2p: ModuleType) -> None:
    for word in ("a", "e", "hmm", "y", "gh", "ough", "aeiou", "queueing", "xyzzy", "zzz", "wh"):
        readings = asr_g2p.pronounce(word)
        assert 1 <= len(readings) <= 2
        assert all(readings)
