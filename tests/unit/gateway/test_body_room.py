import pytest

from gateway.exceptions import Overloaded
from gateway.services.body_room import BodyRoom
from shared.metrics import Metrics


def test_all_bodies_together_are_bounded() -> None:
    room = BodyRoom(100, Metrics("test"))
    with room.hold() as first:
        first.add(60)
        with room.hold() as second:
            second.add(40)
            with pytest.raises(Overloaded):
                second.add(1)
        assert room.used == 60
        with room.hold() as third:
            third.add(40)
    assert room.used == 0


def test_one_body_alone_always_fits() -> None:
    room = BodyRoom(100, Metrics("test"))
    with room.hold() as only:
        only.add(500)
        with room.hold() as other, pytest.raises(Overloaded):
            other.add(1)
    assert room.used == 0


def test_a_request_that_fails_gives_its_room_back() -> None:
    room = BodyRoom(100, Metrics("test"))
    failure = KeyError("x")

    def fail() -> None:
        with room.hold() as held:
            held.add(50)
            raise failure

    with pytest.raises(KeyError):
        fail()
    assert room.used == 0
