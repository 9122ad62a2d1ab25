import itertools
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

RATE = 16_000


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("was(2)", "was"),
        ("read(12)", "read"),
        ("<s>", ""),
        ("<sil>", ""),
        ("[NOISE]", ""),
        ("++UH++", ""),
        ("", ""),
        ("o'clock", "o'clock"),
        ("f(x)", "f(x)"),
    ],
)
def test_fillers_and_alternates_are_not_words(asr: ModuleType, raw: str, word: str) -> None:
    assert asr.clean_word(raw) == word


def test_word_times_are_monotone_and_inside_the_recording(asr: ModuleType) -> None:
    found = [("<s>", 0, 9, 1.0), ("he", 5, 32, 0.9), ("was(2)", 30, 54, 1.2), ("x", 55, 400, -0.1)]
    words = asr.words_of(found, offset=10.0, duration=12.0, after=10.1)
    assert words == [
        {"word": "he", "start": 10.1, "end": 10.33, "confidence": 0.9},
        {"word": "was", "start": 10.33, "end": 10.55, "confidence": 1.0},
        {"word": "x", "start": 10.55, "end": 12.0, "confidence": 0.0},
    ]


def test_short_audio_is_one_chunk(asr: ModuleType) -> None:
    assert asr.chunk_bounds(np.zeros(RATE * 20, np.int16)) == [(0, RATE * 20)]


def test_long_audio_is_cut_in_its_pauses(asr: ModuleType) -> None:
    rng = np.random.default_rng(7)
    pcm = rng.normal(0, 3000, RATE * 60).astype(np.int16)
    pauses = [14.0, 30.5, 44.0]
    for pause in pauses:
        pcm[int(pause * RATE) : int((pause + 0.3) * RATE)] = 0
    bounds = asr.chunk_bounds(pcm)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == pcm.size
    assert all(one[1] == other[0] for one, other in itertools.pairwise(bounds))
    assert all(0 < last - first <= 20 * RATE for first, last in bounds)
    cuts = [last / RATE for _, last in bounds[:-1]]
    assert cuts == [pytest.approx(pause + 0.15, abs=0.11) for pause in pauses]


@pytest.mark.parametrize("level", [0, 5])
def test_silence_is_recognised_even_with_an_offset(asr: ModuleType, level: int) -> None:
    noise = np.random.default_rng(1).normal(200, level, RATE).astype(np.int16)
    assert asr.is_silent(noise)


def test_a_quiet_word_is_not_silence(asr: ModuleType) -> None:
    pcm = np.zeros(RATE * 5, np.int16)
    pcm[RATE : RATE + 1600] = np.random.default_rng(1).normal(0, 60, 1600).astype(np.int16)
    assert not asr.is_silent(pcm)


def test_bounds_of_audio_and_topk(asr: ModuleType) -> None:
    asr.check_audio(np.zeros(600 * RATE, np.int16))
    with pytest.raises(asr.ClientError, match=r"^empty_audio:"):
        asr.check_audio(np.zeros(0, np.int16))
    with pytest.raises(asr.ClientError, match=r"^audio_too_long:"):
        asr.check_audio(np.zeros(600 * RATE + 1, np.int16))
    assert [asr.check_topk(value) for value in (0, 1, 10)] == [1, 1, 10]
    for value in (-1, 11):
        with pytest.raises(asr.ClientError, match=r"^invalid_parameter:"):
            asr.check_topk(value)


@pytest.mark.parametrize("tag", [b"en", b"EN", b"en-US", b"en_GB"])
def test_language_tags_of_a_served_language(asr: ModuleType, tag: bytes) -> None:
    assert asr.check_language(tag, ["en", "es"]) == "en"


@pytest.mark.parametrize(
    "tag", [b"", b"xx", b"en\n", b"en;id", b"-f /etc/passwd", b"\xff", b"en\0", b"e" * 1000, b"en-"]
)
def test_other_language_tags_are_refused_with_the_served_ones(asr: ModuleType, tag: bytes) -> None:
    with pytest.raises(asr.ClientError, match=r"^unsupported_language: en,es$"):
        asr.check_language(tag, ["en", "es"])


def test_the_shown_text_ranks_first_and_texts_differ(asr: ModuleType) -> None:
    ranked = [("a b", 0.4), ("a c", 0.3), ("a b", 0.2), ("a d", 0.1)]
    assert asr.rank_texts("a c", ranked, 3) == [("a c", 0.3), ("a b", 0.4), ("a d", 0.1)]
    assert asr.rank_texts("z", ranked, 2) == [("z", 0.4), ("a b", 0.4)]
    assert asr.rank_texts("z", [], 2) == [("z", 1.0)]


def test_hypotheses_of_chunks_are_joined_by_rank(asr: ModuleType) -> None:
    chunks = [[("a", 0.5), ("b", 0.25)], [("c", 0.5)]]
    assert asr.join_ranked(chunks, 10) == [
        {"text": "a c", "score": 0.25},
        {"text": "b c", "score": 0.125},
    ]
    assert asr.join_ranked([], 3) == [{"text": "", "score": 1.0}]


def test_a_decoder_that_failed_is_replaced(
    asr: ModuleType, asr_decoder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Decoder:
        """Fails on its second utterance, and on all others from then on."""

        made = 0

        def __init__(self, **_: object) -> None:
            type(self).made += 1
            self.utterances = 0

        def reinit_feat(self) -> None: ...

        def start_utt(self) -> None:
            self.utterances += 1

        def process_raw(self, _: bytes, *, full_utt: bool) -> None:
            assert full_utt
            if self.utterances > 1:
                raise RuntimeError

        def end_utt(self) -> None: ...

        def hyp(self) -> None: ...

    monkeypatch.setitem(sys.modules, "pocketsphinx", SimpleNamespace(Decoder=Decoder))
    recognizer = asr.Recognizer()
    loud = np.random.default_rng(1).normal(0, 3000, RATE).astype(np.int16)
    for made in (2, 3):
        with pytest.raises(asr_decoder.EngineError):
            recognizer.transcribe(loud)
        assert Decoder.made == made


def test_a_missing_engine_is_named(
    asr: ModuleType, asr_decoder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(asr_decoder.EngineError, match="pocketsphinx is not installed"):
        asr.Recognizer()
