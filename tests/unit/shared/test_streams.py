import pytest

from shared.problem import BadRequest, DeadlineExceeded, SpeechgateError, Unavailable
from shared.streams import StreamPlaces, StreamRefused, close_code, idle, shutting_down


def test_places_are_counted_for_all_and_for_each_tenant() -> None:
    places = StreamPlaces(3, 2)
    places.take("a")
    places.take("a")
    with pytest.raises(StreamRefused) as refused:
        places.take("a")
    assert refused.value.code == "too_many_streams"
    places.take("b")
    with pytest.raises(StreamRefused):
        places.take("c")
    places.release("a")
    places.take("c")


def test_nobody_gets_a_place_when_the_process_ends() -> None:
    places = StreamPlaces(3, 2)
    places.close()
    with pytest.raises(StreamRefused) as refused:
        places.take("a")
    assert refused.value.code == "shutting_down"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (idle("text"), 1001),
        (shutting_down(), 1012),
        (StreamRefused("No.", "no"), 1008),
        (BadRequest("No."), 1008),
        (Unavailable("No."), 1013),
        (DeadlineExceeded("No."), 1013),
        (SpeechgateError("No."), 1011),
    ],
)
def test_each_error_has_its_close_code(error: SpeechgateError, code: int) -> None:
    assert close_code(error) == code
