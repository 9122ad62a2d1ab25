"""The scorer, against cases worked out by hand."""

import pytest

from tests.support.diarization_error import diarization_error

TRUTH = [(0.0, 4.0, "ann"), (5.0, 9.0, "bob")]


@pytest.mark.parametrize(
    ("found", "missed", "false_alarm", "confused"),
    [
        ([(0.0, 4.0, "x"), (5.0, 9.0, "y")], 0.0, 0.0, 0.0),
        ([(0.2, 3.8, "y"), (4.8, 9.2, "x")], 0.0, 0.0, 0.0),  # inside the collar
        ([], 7.0, 0.0, 0.0),
        ([(0.0, 9.0, "x")], 0.0, 0.5, 3.5),
        ([(0.0, 2.0, "x"), (2.0, 4.0, "y"), (5.0, 9.0, "z")], 0.0, 0.0, 1.75),
        ([(0.0, 4.0, "x"), (5.0, 7.0, "x"), (7.0, 9.0, "y")], 0.0, 0.0, 1.75),
        ([(0.0, 4.0, "x"), (5.0, 9.0, "y"), (10.0, 12.0, "y")], 0.0, 2.0, 0.0),
    ],
)
def test_known_cases(
    found: list[tuple[float, float, str]], missed: float, false_alarm: float, confused: float
) -> None:
    error = diarization_error(TRUTH, found)
    assert (error.missed, error.false_alarm, error.confused, error.scored) == pytest.approx(
        (missed, false_alarm, confused, 7.0), abs=0.03
    )
    assert error.rate == pytest.approx((missed + false_alarm + confused) / 7.0, abs=0.01)
