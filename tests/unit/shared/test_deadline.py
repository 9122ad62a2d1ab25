import pytest

from shared.deadline import remaining_s, set_deadline


@pytest.mark.parametrize("header", [None, "", "abc", "-1", "1.5", "٣", " 5"])
async def test_what_is_no_number_of_milliseconds_is_absent(header: str | None) -> None:
    set_deadline(header)
    assert remaining_s(60.0) == 60.0


async def test_what_is_left_bounds_the_work() -> None:
    set_deadline("2000")
    assert 1.5 < remaining_s(60.0) <= 2.0
    assert remaining_s(0.5) == 0.5


async def test_nothing_left_is_not_positive() -> None:
    set_deadline("0")
    assert remaining_s(60.0) <= 0


async def test_no_deadline_is_longer_than_two_hours() -> None:
    set_deadline("9" * 40)
    assert remaining_s(10_000.0) <= 7200.0
