"""The engines of live streams without PocketSphinx and ONNX Runtime."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soxr

DECODERS: list["Decoder"] = []


class Decoder:
    """Stands where a decoder would; the pool only orders them."""

    def __init__(self, *, narrow: bool) -> None:
        self.narrow = narrow
        self.pieces: list[int] = []
        self.fails: Exception | None = None
        DECODERS.append(self)

    def start(self, beginning: Any) -> None:
        assert beginning.size
        self.pieces = []

    def hear(self, pcm: Any) -> None:
        if self.fails:
            raise self.fails
        self.pieces.append(pcm.size)

    def text(self) -> str:
        return f"<s> heard(2) {sum(self.pieces)}"

    def end(self) -> list[tuple[str, int, int, float]]:
        return [("<s>", 0, 9, 1.0), ("was(2)", 10, 19, 0.5), ("here", 20, 29, 1.0)]

    def drop(self) -> None: ...


@pytest.fixture
def pool(asr_stream: ModuleType) -> Any:
    DECODERS.clear()
    return asr_stream.Utterances(2, Decoder)


SECOND = np.zeros(16_000, np.int16)
HISS = np.random.default_rng(5).normal(0, 2000, 16_000).astype(np.int16)
TELEPHONE = np.rint(soxr.resample(soxr.resample(HISS / 2, 16_000, 8_000), 8_000, 16_000))
NARROW = TELEPHONE.astype(np.int16)


def test_an_utterance_from_its_start_to_its_end(pool: Any) -> None:
    pool.start(1)
    assert pool.step(1, SECOND) == {"text": "heard 16000", "final": False, "duration": 1.0}
    assert pool.step(1, SECOND)["duration"] == 2.0
    ended = pool.end(1)
    assert ended["text"] == "was here"
    assert ended["words"][0] == {"word": "was", "start": 0.1, "end": 0.2, "confidence": 0.5}
    assert ended["confidence"] == 0.75
    assert ended["final"] is True


def test_an_utterance_is_heard_from_half_a_second_on(pool: Any) -> None:
    pool.start(1)
    assert pool.step(1, SECOND[:7_999])["text"] == ""
    assert DECODERS[0].pieces == []
    assert pool.step(1, SECOND[:1]) == {"text": "heard 8000", "final": False, "duration": 0.5}
    assert DECODERS[0].pieces == [8_000]
    pool.start(2)
    pool.step(2, SECOND[:100])
    assert pool.end(2)["text"] == "was here"
    assert DECODERS[1].pieces == [100]


def test_telephone_sound_is_heard_by_a_decoder_of_its_own(pool: Any) -> None:
    for key, sound in enumerate([HISS, NARROW, HISS, NARROW]):
        pool.start(key)
        pool.step(key, sound)
        pool.end(key)
    assert [(one.narrow, len(one.pieces)) for one in DECODERS] == [(False, 2), (True, 2)]


def test_there_are_never_more_decoders_than_places(pool: Any) -> None:
    for keys, sound in (((1, 2), HISS), ((3, 4), NARROW), ((5,), HISS)):
        for key in keys:
            pool.start(key)
            pool.step(key, sound)
        for key in keys:
            pool.end(key)
    # One of each kind is left, which took the other one's place.
    assert [one.narrow for one in DECODERS] == [False, False, True, True, False]
    pool.start(6)
    pool.step(6, NARROW)
    assert len(DECODERS) == 5


def test_a_place_is_used_again_and_never_more_than_there_are(pool: Any) -> None:
    for key in range(10):
        pool.start(key)
        pool.step(key, SECOND)
        pool.end(key)
    assert len(DECODERS) == 1
    for key in (20, 21):
        pool.start(key)
        pool.step(key, SECOND)
    pool.step(20, SECOND)
    pool.start(22)  # The server admits it: one of the others was abandoned.
    assert len(DECODERS) == 2
    assert pool.step(20, SECOND)["duration"] == 3.0


def test_who_is_not_open_is_refused(pool: Any, asr_stream: ModuleType) -> None:
    pool.start(1)
    pool.cancel(1)
    pool.cancel(1)
    for call in (lambda: pool.step(1, SECOND), lambda: pool.end(1), lambda: pool.step(7, SECOND)):
        with pytest.raises(asr_stream.ClientError, match="not open"):
            call()


def test_a_broken_decoder_is_not_used_again(pool: Any, asr_stream: ModuleType) -> None:
    pool.start(1)
    pool.step(1, SECOND)
    DECODERS[0].fails = asr_stream.EngineError("broken")
    with pytest.raises(asr_stream.EngineError):
        pool.step(1, SECOND)
    pool.start(2)
    assert pool.step(2, SECOND)["text"] == "heard 16000"
    assert len(DECODERS) == 2


def test_a_refused_utterance_gives_its_decoder_back(pool: Any, asr_stream: ModuleType) -> None:
    pool.start(1)
    pool.step(1, SECOND)
    with pytest.raises(asr_stream.Cancelled):
        pool.step(1, SECOND, lambda: True)
    pool.start(1)
    pool.step(1, SECOND)
    with pytest.raises(asr_stream.ClientError, match="audio_too_long"):
        pool.step(1, np.zeros(120 * 16_000, np.int16))
    pool.start(2)
    assert pool.step(2, SECOND)
    assert len(DECODERS) == 1


def test_languages(asr_stream: ModuleType) -> None:
    assert asr_stream.check_language(b"en-US", ["en"]) == "en"
    for wrong in (b"es", b"", b"en\n", b"\xff"):
        with pytest.raises(asr_stream.ClientError, match="unsupported_language: en"):
            asr_stream.check_language(wrong, ["en"])


def test_word_times_never_go_back(asr_stream: ModuleType) -> None:
    segments = [("a", 0, 50, 1.2), ("<sil>", 51, 60, 1.0), ("b", 40, 90, -1.0), ("c", 95, 300, 1.0)]
    words = asr_stream.words_of(segments, 1.5)
    edges = [edge for word in words for edge in (word["start"], word["end"])]
    assert edges == sorted(edges)
    assert edges[-1] == 1.5
    assert [word["confidence"] for word in words] == [1.0, 0.0, 1.0]


def test_windows_of_a_call(vad_stream: ModuleType) -> None:
    windows, counts, states = vad_stream.check(np.ones(1_000, np.int16), None, None)
    assert windows.shape == (1, 2, 512)
    assert windows[0, 1, 488:].sum() == 0
    assert counts.tolist() == [2]
    assert not states.any()


@pytest.mark.parametrize(
    ("pcm", "counts", "state"),
    [
        (np.zeros((1, 0), np.int16), None, None),
        (np.zeros((1, 65 * 512), np.int16), None, None),
        (np.zeros((2, 512), np.int16), np.array([[1], [2]], np.int32), None),
        (np.zeros((2, 512), np.int16), np.array([[-1], [1]], np.int32), None),
        (np.zeros((2, 512), np.int16), None, np.zeros((1, 320), np.float32)),
        (np.zeros((1, 512), np.int16), None, np.full((1, 320), np.nan, np.float32)),
    ],
)
def test_a_call_that_does_not_fit_is_refused(
    vad_stream: ModuleType, pcm: Any, counts: Any, state: Any
) -> None:
    with pytest.raises(vad_stream.ClientError):
        vad_stream.check(pcm, counts, state)
