import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from gateway.exceptions import Overloaded
from gateway.models.routes import Priority
from gateway.proxy.overload import Overload
from gateway.proxy.waiting import WaitingRoom
from gateway.server.body import RequestBody
from gateway.server.reader import RequestReader
from gateway.server.request import Request
from shared.asgi.body import RequestTimeout
from shared.metrics import Metrics

LIVE, INTERACTIVE = Priority.LIVE, Priority.INTERACTIVE
SIZE = 8


class Source:
    """A connection, as far as a body needs one."""

    def hold(self) -> None:
        return

    flow = send_continue = hold


class Room:
    def __init__(self) -> None:
        metrics = Metrics("gateway")
        self.overload = Overload(SIZE, metrics)
        self.room = WaitingRoom(self.overload, SIZE, metrics)

    @contextmanager
    def waits(self, sender: str, priority: Priority = LIVE) -> Iterator[Request]:
        """A request in flight that waits for its body, and then ends."""
        source = cast("RequestReader", Source())
        body = RequestBody(source)
        request = Request(
            *(source, "POST", b"/", "1.1", [], body),
            keep_alive=True,
            upgrades=False,
            arrived=0.0,
        )
        self.overload.admit(priority)
        try:
            with self.room.waits(request, sender, priority):
                yield request
        finally:
            self.overload.leave()

    def fill(self) -> None:
        for _ in range(SIZE):
            self.overload.admit(LIVE)

    def free(self) -> int:
        """Places of requests in flight."""
        return SIZE - self.overload.in_flight


def test_who_waits_keeps_no_place() -> None:
    room = Room()
    with room.waits("slow"):
        assert room.free() == SIZE
    assert room.free() == SIZE


def test_a_body_that_comes_when_all_places_are_taken_is_refused() -> None:
    room = Room()
    with pytest.raises(Overloaded), room.waits("slow", INTERACTIVE):
        room.fill()
    assert room.free() == 0  # Those of the others.


def test_a_client_that_leaves_gives_everything_back() -> None:
    room = Room()
    with pytest.raises(ZeroDivisionError), room.waits("gone"):
        raise ZeroDivisionError
    assert room.free() == SIZE
    for _ in range(3 * SIZE):
        with room.waits("gone") as request:
            assert request.keep_alive


async def waiting(room: Room, sender: str, begun: list[Request]) -> None:
    with room.waits(sender) as request:
        begun.append(request)
        await request.body.arrive()


async def crowd(senders: str) -> tuple[list[Request], list[asyncio.Task[None]]]:
    room, begun = Room(), list[Request]()
    tasks = []
    for sender in senders:
        tasks.append(asyncio.create_task(waiting(room, sender, begun)))
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return begun, tasks


async def end(begun: list[Request], tasks: list[asyncio.Task[None]]) -> list[bool]:
    """Lets the bodies come; which requests had to go before."""
    for request in begun:
        request.body.end()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is None or isinstance(result, RequestTimeout) for result in results)
    return [isinstance(result, RequestTimeout) for result in results]


async def test_of_a_senders_bodies_the_slowest_gives_way() -> None:
    begun, tasks = await crowd("aaabaa")
    assert [request.keep_alive for request in begun] == [False, False, False, True, True, True]
    assert await end(begun, tasks) == [True, True, True, False, False, False]


async def test_when_all_wait_it_is_one_of_the_sender_with_the_most() -> None:
    begun, tasks = await crowd("abbccddefgh")
    gone = await end(begun, tasks)
    assert gone == [False, True, False, True, False, True, *[False] * 5]
