"""A client of the native stream: recites audio, is cut, resumes."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.poll import eventually

STREAM = "/api/v1/asr/stream"
Headers = Mapping[str, str]


@dataclass
class Heard:
    """What a client was told, over all its connections."""

    events: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def finals(self) -> list[dict[str, Any]]:
        return self.of("final")

    @property
    def text(self) -> str:
        return " ".join(final["text"] for final in self.finals)

    @property
    def settled(self) -> int:
        """Position from which a resumed session goes on."""
        return max((event["samples"] for event in self.events if "samples" in event), default=0)

    @property
    def errors(self) -> list[str]:
        return [event["code"] for event in self.of("error")]

    async def listen(self, socket: ClientConnection) -> None:
        """Note events until the connection ends."""
        try:
            async for message in socket:
                self.events.append(json.loads(message))
        except ConnectionClosed:
            pass
        self.close_code = socket.close_code


def encoded(pcm: NDArray[np.int16]) -> bytes:
    return pcm.astype("<i2").tobytes()


async def recite(
    url: str,
    headers: Headers,
    data: bytes,
    *,
    heard: Heard | None = None,
    frame: int = 3_200,
    sample: int = 2,
    frame_s: float = 0.0,
    cut_at: int | None = None,
    cut_after: int | None = None,
    **start: Any,
) -> Heard:
    """Send audio and take events until the server closes.

    Args:
        url: Of the stream.
        headers: Of the handshake.
        data: The whole session's audio; what is settled already is not sent again.
        heard: What earlier connections of the session heard; it goes on there.
        frame: Bytes a message.
        sample: Bytes a sample.
        frame_s: Seconds between two messages.
        cut_at: Break the connection after so many bytes of `data`, without a close frame.
        cut_after: Break it after so many finals instead of stopping.
        **start: Members of the start message.
    """
    heard = heard or Heard()
    ready = heard.of("ready")
    if ready:
        start |= {"session_id": ready[0]["session_id"], "resume_from": heard.settled}
    first = start.get("resume_from", 0) * sample
    async with connect(url, additional_headers=headers, max_size=2**24, compression=None) as socket:
        await socket.send(json.dumps({"type": "start", **start}))
        listening = asyncio.create_task(heard.listen(socket))
        try:
            for place in range(first, len(data), frame):
                if cut_at is not None and place >= cut_at:
                    socket.transport.abort()
                    break
                await socket.send(data[place : place + frame])
                if frame_s:
                    await asyncio.sleep(frame_s)
            else:
                if cut_after is None:
                    await socket.send(json.dumps({"type": "stop"}))
                else:
                    await eventually(lambda: len(heard.finals) >= cut_after, timeout_s=30)
                    socket.transport.abort()
        except ConnectionClosed:
            pass  # What was told before says why.
        await listening
    return heard


async def recite_to_the_end(
    url: str,
    headers: Headers,
    data: bytes,
    *,
    heard: Heard | None = None,
    tries: int = 20,
    **options: Any,
) -> Heard:
    """`recite`, resumed after every break until the session is done."""
    heard = heard or Heard()
    for _ in range(tries):
        try:
            await recite(url, headers, data, heard=heard, **options)
        except (OSError, ConnectionClosed):
            await asyncio.sleep(0.1)
        except InvalidStatus:
            await asyncio.sleep(0.2)
        if heard.of("done"):
            return heard
    raise AssertionError(f"not done after {tries} connections: {heard.errors} {heard.close_code}")
