"""The end of a listener that loses no request.

At its end uvicorn closes the listener and every idle connection. The kernel then resets the
connections that it had taken for the process, and a request that is on its way on an idle one
meets a closed connection; its sender cannot know whether it was begun. So connections that the
kernel has taken are served, idle ones stay open for a while, and each answer says that it is the
connection's last (RFC 9112 §9.6).
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CLOSE = (b"connection", b"close")
_POLL_S = 0.02


@runtime_checkable
class Lingering(Protocol):
    """A connection that knows how to end."""

    @property
    def idle(self) -> bool:
        """Whether it waits for a request."""

    def linger(self) -> None:
        """The next answer is the last."""


async def stop_listening(
    servers: Iterable[asyncio.Server], protocol: Callable[[], asyncio.Protocol]
) -> None:
    """Take no more connections, but those that the kernel has taken already.

    Args:
        servers: To be closed.
        protocol: Makes what serves a connection.
    """
    loop = asyncio.get_running_loop()
    for server in servers:
        # A second descriptor keeps the queue alive when the server's own is closed.
        queues = [socket.socket(fileno=os.dup(one.fileno())) for one in server.sockets]
        server.close()
        for queue in queues:
            for connection in _taken(queue):
                with suppress(OSError):  # Its client left.
                    await loop.connect_accepted_socket(protocol, connection)


def _taken(queue: socket.socket) -> list[socket.socket]:
    found = []
    with queue:
        queue.settimeout(0)
        with suppress(OSError):
            while True:
                connection, _ = queue.accept()
                connection.settimeout(0)
                found.append(connection)
    return found


async def linger(connections: set[Any], timeout_s: float) -> None:
    """Wait until no connection is idle: each answered once more, or closed by its client.

    Args:
        connections: Of uvicorn's `ServerState`, which forgets those that are closed. Answers to
            requests that begin from now on must carry `CLOSE`.
        timeout_s: Longest wait.
    """
    for connection in list(connections):
        _make_last(connection)
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout_s
    # uvicorn tells nobody when a connection ends.
    while loop.time() < until and any(map(_is_idle, connections)):  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)


def _is_idle(connection: object) -> bool:
    if isinstance(connection, HttpToolsProtocol):
        return connection.cycle is None or connection.cycle.response_complete
    return isinstance(connection, Lingering) and connection.idle  # A WebSocket never is.


def _make_last(connection: object) -> None:
    if isinstance(connection, Lingering):
        connection.linger()
    elif isinstance(connection, HttpToolsProtocol):
        cycle = connection.cycle
        if cycle is not None:
            cycle.keep_alive = False  # Says so in the head, where that was not sent yet.
