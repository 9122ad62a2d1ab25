# ruff: noqa: RUF001 - other scripts are spoken here
import itertools

import numpy as np
import pytest

from services.tts.models.script import Say
from services.tts.models.sound import Samples
from services.tts.services.word_times import word_times

RATE = 1000


def tone(silent: int, heard: int, after: int) -> Samples:
    samples = np.zeros(silent + heard + after, np.float32)
    samples[silent : silent + heard] = 0.5
    return samples


def test_the_audible_part_is_shared_out_by_length() -> None:
    (first, second) = word_times(Say("a bcd", "a bcd"), tone(100, 600, 300), RATE, 2.0)
    assert (first.word, first.start, first.end) == ("a", 2.1, 2.3)
    assert (second.word, second.start, second.end) == ("bcd", 2.3, 2.7)


def test_times_are_told_of_what_was_written() -> None:
    say = Say("it costs three dollars fifty", "It costs $3.50")
    words = word_times(say, tone(0, 1000, 0), RATE, 0.0)
    assert [one.word for one in words] == ["It", "costs", "$3.50"]
    # Digits and the sign take as long as the words that they are spoken as.
    assert words[2].end - words[2].start > 2 * (words[1].end - words[1].start)


def test_normalized_words_count_where_there_are_as_many() -> None:
    (_, year) = word_times(Say("in nineteeneightyfour", "in 1"), tone(0, 1000, 0), RATE, 0.0)
    assert year.end - year.start > 0.8


@pytest.mark.parametrize(
    "text",
    [
        "One, two; three: four. Five! Six?",
        "नमस्ते। आप कैसे हैं?",
        "你好，世界。",
        "a - b — c",
        "x" * 5_000,
    ],
)
def test_times_never_go_back_and_stay_inside(text: str) -> None:
    words = word_times(Say(text, text), tone(50, 900, 50), RATE, 1.0)
    edges = list(itertools.chain.from_iterable((one.start, one.end) for one in words))
    assert edges == sorted(edges)
    assert edges[0] >= 1.05
    assert edges[-1] == pytest.approx(1.95, abs=0.001)
    assert all(len(one.word) <= 256 for one in words)


def test_scripts_without_spaces_are_told_by_character() -> None:
    words = word_times(Say("你好，世界。", "你好，世界。"), tone(0, 1000, 0), RATE, 0.0)
    assert [one.word for one in words] == ["你", "好，", "世", "界。"]


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100, np.float32)])
def test_no_sound_has_no_words(samples: Samples) -> None:
    assert word_times(Say("a", "a"), samples, RATE, 0.0) == ()


def test_punctuation_alone_is_no_word() -> None:
    assert word_times(Say("…", "…"), tone(0, 10, 0), RATE, 0.0) == ()
