"""A WebSocket upstream that costs next to nothing: it answers each frame of a known size with
one of the same payload size, without looking into it.

`python -m tests.load.echo_upstream PORT PAYLOAD_BYTES`.
"""

import asyncio
import base64
import hashlib
import re
import sys
from typing import cast

import uvloop

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_KEY = re.compile(rb"(?i)\r\nsec-websocket-key: *([^\r\n]+)\r\n")
_BINARY = 0x82
_MASKED = 0x80


def frame(payload: bytes, mask: bytes = b"") -> bytes:
    """A binary frame of 126 to 65,535 bytes; a client's has a mask (RFC 6455, section 5.2).

    A mask of zeros is as good as any here: it leaves the payload as it is.
    """
    head = bytes([_BINARY, 126 | (_MASKED if mask else 0)]) + len(payload).to_bytes(2, "big")
    return head + mask + payload


def frame_sizes(payload: int) -> tuple[int, int]:
    """Bytes of a frame from the client, and of one from the server."""
    return len(frame(bytes(payload), bytes(4))), len(frame(bytes(payload)))


class EchoConnection(asyncio.Protocol):
    """One connection; `/health` is answered like HTTP."""

    def __init__(self, payload: int) -> None:
        self._frame_bytes = frame_sizes(payload)[0]
        self._answer = frame(bytes(payload))
        self._head = b""
        self._open = False
        self._waiting = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answers the upgrade first, then as many frames as are complete."""
        assert self._transport is not None
        if not self._open:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            key = _KEY.search(self._head[: end + 2])
            if key is None:
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                self._head = b""
                return
            accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())  # noqa: S324 - the RFC's
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self._open, data = True, self._head[end + 4 :]
        self._waiting += len(data)
        frames, self._waiting = divmod(self._waiting, self._frame_bytes)
        if frames:
            self._transport.write(self._answer * frames)


async def serve(port: int, payload: int) -> None:
    """Until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: EchoConnection(payload), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), int(sys.argv[2])))
