"""A Socket.IO client of the library's own that notes what it is told."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import socketio

EVENTS = ("ready", "response", "error", "abort", "terminate")


class Caller:
    """A client that notes what it is told."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        # The library itself sends headers with the first request alone.
        self.session = aiohttp.ClientSession(headers=headers)
        self.client = socketio.AsyncClient(reconnection=False, http_session=self.session)
        self.told: list[tuple[Any, ...]] = []
        self._news = asyncio.Event()
        for event in EVENTS:
            self.client.on(event, self._note(event))
        self.client.on("disconnect", self._note("disconnect"))

    def _note(self, event: str) -> Callable[..., None]:
        def note(*values: Any) -> None:
            self.told.append((event, *values))
            self._news.set()

        return note

    async def until(self, event: str) -> tuple[Any, ...]:
        async with asyncio.timeout(30):
            while True:
                for told in self.told:
                    if told[0] == event:
                        return told
                self._news.clear()
                await self._news.wait()

    async def leave(self) -> None:
        await self.client.disconnect()
        await self.session.close()

    def of(self, event: str) -> list[tuple[Any, ...]]:
        return [told for told in self.told if told[0] == event]
