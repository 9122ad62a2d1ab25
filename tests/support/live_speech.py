"""A client of live synthesis: sends text in pieces, notes what it is told."""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

STREAM = "/api/v1/tts/stream"


@dataclass
class Spoken:
    """What a client was told, in order."""

    events: list[dict[str, Any]] = field(default_factory=list)
    audio: bytes = b""
    close_code: int | None = None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def errors(self) -> list[str]:
        return [event["code"] for event in self.of("error")]

    async def listen(self, socket: ClientConnection) -> None:
        """Note events until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                if isinstance(message, bytes):
                    self.audio += message
                else:
                    self.events.append(json.loads(message))
        self.close_code = socket.close_code


def text(piece: str) -> dict[str, str]:
    return {"type": "text", "text": piece}


async def send(socket: ClientConnection, *messages: Any) -> None:
    for message in messages:
        ready = message if isinstance(message, str | bytes) else json.dumps(message)
        await socket.send(ready)


async def dictate(
    url: str, headers: Mapping[str, str], pieces: Iterable[str], **start: Any
) -> Spoken:
    """Have a text spoken that comes in pieces."""
    return await exchange(
        url, headers, {"type": "start", **start}, *map(text, pieces), {"type": "stop"}
    )


async def exchange(url: str, headers: Mapping[str, str], *messages: Any) -> Spoken:
    """Send messages as they are, and note the answers until the server closes."""
    told = Spoken()
    async with connect(url, additional_headers=headers, max_size=2**24, compression=None) as socket:
        listening = asyncio.create_task(told.listen(socket))
        with contextlib.suppress(ConnectionClosed):  # What was told before says why.
            await send(socket, *messages)
        await listening
    return told
