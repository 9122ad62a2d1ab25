import numpy as np
import pytest

from services.tts.models.script import Mark, Pause, Say
from services.tts.models.sound import PCM16_SCALE, Pcm16
from services.tts.services.joining import Silence, Spoken, lay_out, shaped, silent_blocks

RATE = 22_050
CUT = Say("cut", "cut", ends_sentence=False)
END = Say("end", "end")


def loud(length: int, sign: int = 1) -> Pcm16:
    return np.full(length, sign * 32_767, np.int16)


def test_one_saying_has_no_neighbours() -> None:
    assert lay_out((END,)) == [Spoken(END, follows=False, goes_on=False)]
    samples = shaped(loud(100), Spoken(END, follows=False, goes_on=False), RATE)
    assert (samples == np.float32(32_767 / PCM16_SCALE)).all()


def test_pauses_follow_sentences_and_cuts() -> None:
    assert lay_out((CUT, END, END)) == [
        Spoken(CUT, follows=False, goes_on=True),
        Silence(0.06),
        Spoken(END, follows=True, goes_on=True),
        Silence(0.2),
        Spoken(END, follows=True, goes_on=False),
    ]


def test_a_pause_of_the_script_takes_the_place_of_the_usual_one() -> None:
    assert lay_out((END, Pause(0.0), END, Pause(2.0))) == [
        Spoken(END, follows=False, goes_on=True),
        Silence(0.0),
        Spoken(END, follows=True, goes_on=True),
        Silence(2.0),
    ]


def test_marks_stand_before_what_follows_them() -> None:
    a, b = Mark("a"), Mark("b")
    first, last = Spoken(END, follows=False, goes_on=True), Spoken(END, follows=True, goes_on=False)
    assert lay_out((a, END, b, END)) == [a, first, Silence(0.2), b, last]
    assert lay_out((END, a, Pause(1.0), b, END)) == [first, a, Silence(1.0), b, last]
    assert lay_out((END, a)) == [Spoken(END, follows=False, goes_on=False), a]


def test_joints_do_not_click() -> None:
    before = shaped(loud(1000), Spoken(END, follows=False, goes_on=True), RATE)
    after = shaped(loud(1000, -1), Spoken(END, follows=True, goes_on=False), RATE)
    joined = np.concatenate([before, np.zeros(10, np.float32), after])
    # The steepest step of a 5 ms ramp from 1 to 0.
    assert np.abs(np.diff(joined)).max() <= 1.05 / (0.005 * RATE)
    assert joined[0] == pytest.approx(1.0, abs=1e-4)
    assert joined[-1] == pytest.approx(-1.0, abs=1e-4)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_parts_of_any_length(length: int) -> None:
    assert len(shaped(loud(length), Spoken(END, follows=True, goes_on=True), RATE)) == length


def test_the_given_part_stays_as_it_is_and_volume_is_heard() -> None:
    part = loud(1000)
    part.setflags(write=False)
    quiet = Spoken(Say("a", "a", volume=0.5), follows=True, goes_on=True)
    assert shaped(part, quiet, RATE)[500] == pytest.approx(0.5, abs=1e-4)
    assert (part == 32_767).all()


def test_silence_comes_in_blocks_of_bounded_size() -> None:
    blocks = [len(block) for block in silent_blocks(2.5, 1000)]
    assert blocks == [1000, 1000, 500]
    assert list(silent_blocks(0.0, 1000)) == []
