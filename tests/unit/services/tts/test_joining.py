import numpy as np
from numpy.typing import NDArray

from services.tts.services.joining import join

RATE = 22_050


def ones(length: int) -> NDArray[np.float32]:
    return np.ones(length, np.float32)


def test_one_part_is_untouched() -> None:
    part = ones(100)
    assert join([part], [True], RATE) is part


def test_pauses_follow_sentences_and_cuts() -> None:
    joined = join([ones(1000)] * 3, [True, False, True], RATE)
    assert len(joined) == 3000 + round(0.2 * RATE) + round(0.06 * RATE)


def test_joints_do_not_click() -> None:
    joined = join([ones(1000), -ones(1000)], [True, True], RATE)
    # The steepest step of a 5 ms ramp from 1 to 0.
    assert np.abs(np.diff(joined)).max() <= 1.05 / (0.005 * RATE)
    assert joined[0] == 1.0
    assert joined[-1] == -1.0


def test_parts_of_any_length() -> None:
    parts = [ones(0), ones(1), ones(3)]
    joined = join(parts, [True, True, True], RATE)
    assert len(joined) == 4 + 2 * round(0.2 * RATE)


def test_the_given_parts_stay_as_they_are() -> None:
    parts = [ones(1000), ones(1000)]
    join(parts, [True, True], RATE)
    assert all((part == 1).all() for part in parts)
