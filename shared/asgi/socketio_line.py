"""What a Socket.IO server tells one client."""

import asyncio
import contextlib
from typing import Any


class SocketIoLine:
    """The way to one client.

    Args:
        server: The Socket.IO server.
        sid: Of the session.
    """

    def __init__(self, server: Any, sid: str) -> None:
        self._server = server
        self._sid = sid

    async def emit(self, name: str, *values: Any) -> None:
        """Put an event in the client's queue; never waits for the client."""
        data: Any = values if len(values) > 1 else (values[0] if values else None)
        await self._server.emit(name, data, to=self._sid)

    def waiting(self) -> int:
        """Packets that the client has not taken."""
        queue = self._queue()
        return 0 if queue is None else int(queue.qsize())

    async def taken(self) -> None:
        """Return when the client has taken all."""
        queue = self._queue()
        if queue is not None:
            await queue.join()

    async def disconnect(self, longest_s: float) -> None:
        """Disconnect the client once it has taken all."""
        # The library waits until then, which for one that is gone never comes.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._server.disconnect(self._sid)

    def _queue(self) -> Any:
        manager, sockets = self._server.manager, self._server.eio.sockets
        socket = sockets.get(manager.eio_sid_from_sid(self._sid, "/"))
        return None if socket is None else socket.queue
