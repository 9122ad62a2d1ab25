"""How a session ends, whoever ends it and however often."""

import asyncio
from typing import Any

from services.asr.models.request import AsrRequest, Status
from services.asr.services.work import Work
from services.asr.streaming.events import Event, Failed
from services.asr.streaming.options import StreamOptions
from services.asr.streaming.outbox import Outbox
from services.asr.streaming.parts import Bounds, Parts
from services.asr.streaming.precedence import Precedence
from services.asr.streaming.session import StreamSession
from shared.caller import Caller
from shared.streams import idle

SECOND = bytes(2 * 16_000)


class Silent:
    """Hears nothing, and settles nothing until it may."""

    position = finals = 0

    def __init__(self) -> None:
        self.closing, self.may_close = asyncio.Event(), asyncio.Event()

    async def score(self, *_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closing.set()
        await self.may_close.wait()

    async def room(self, _most: int) -> None: ...

    def transcript(self, _duration: float) -> None: ...


class World:
    """A session and what became of it."""

    def __init__(self) -> None:
        self.silent = Silent()
        self.rows: list[AsrRequest] = []
        self.ends: list[str] = []
        silent: Any = self.silent
        parts = Parts(
            ticker=silent,
            precedence=Precedence(lambda _spared: None),
            partials=None,
            partial_model="",
            stored=self._stored,
            ended=lambda _seconds, status: self.ends.append(status),
        )
        caller = Caller("tenant", "key", "request", "trace", "")
        work = Work("stream", caller, "asr", "default", "en")
        bounds = Bounds(max_s=60, rate_factor=1000, burst_s=60, utterance_s=15)
        self.session = StreamSession(StreamOptions(), work, bounds, parts, silent, Outbox())
        self.session.start()

    def _stored(self, row: AsrRequest, _transcript: Any) -> "asyncio.Future[None]":
        self.rows.append(row)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def events(self) -> list[Event]:
        return [event async for event in self.session.outbox]


async def held(session: StreamSession) -> "asyncio.Task[None]":
    """More audio than a session takes in: the client is held back."""
    await asyncio.sleep(0)
    feeding = asyncio.create_task(session.feed(SECOND))
    await feeding  # Taken in, and waiting to be heard.
    return asyncio.create_task(session.feed(6 * SECOND))


async def test_who_is_gone_at_once_leaves_nothing() -> None:
    world = World()
    async with asyncio.timeout(5):
        await world.session.close()
        assert await world.events()
        await world.session.feed(60 * SECOND)
    assert world.ends == [Status.CANCELLED.value]
    assert world.rows == []


async def test_an_end_that_is_under_way_is_not_cut_off() -> None:
    world = World()
    async with asyncio.timeout(5):
        feeding = await held(world.session)
        world.session.fail(idle("audio"))
        await world.silent.closing.wait()
        closing = asyncio.create_task(world.session.close())
        drained = asyncio.create_task(world.session.ended())
        await asyncio.sleep(0)
        assert not feeding.done()
        drained.cancel()
        world.silent.may_close.set()
        await closing
        await feeding
        events = await world.events()
    assert isinstance(events[-1], Failed)
    assert [(row.status, row.error_code) for row in world.rows] == [(Status.FAILED, "idle_timeout")]
    assert world.ends == ["idle_timeout"]
