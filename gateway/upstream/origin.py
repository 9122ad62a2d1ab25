"""One base URL: where it is, and the connections to it."""

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from gateway.upstream.connection import Connection
    from gateway.upstream.tunnel import Tunnel

_PORTS = {"http": 80, "https": 443}


class Origin:
    """The connections to one replica.

    Args:
        base_url: `http://host:port` or `https://…`, without a path.
        context: For https.
        max_idle: Kept-alive connections; more are closed.

    Attributes:
        tail: End of the request line, and the `host` field.
        busy: Connections with a request.
        tunnels: Connections that were handed over.
        connecting: Connections that are being made.
        opened: Connections of any kind.
        now: Set by the sweep: exact enough for the age of idle connections.

    Raises:
        ValueError: It is no such URL.
    """

    __slots__ = (
        "busy",
        "connecting",
        "context",
        "host",
        "idle",
        "max_idle",
        "now",
        "opened",
        "port",
        "tail",
        "tunnels",
    )

    def __init__(self, base_url: str, context: ssl.SSLContext | None, max_idle: int) -> None:
        parts = urlsplit(base_url)
        if (
            parts.scheme not in _PORTS
            or not parts.hostname
            or parts.path not in ("", "/")
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise ValueError(f"not a base URL: {base_url}")
        self.host = parts.hostname
        self.port = parts.port or _PORTS[parts.scheme]
        self.context = context if parts.scheme == "https" else None
        self.tail = f" HTTP/1.1\r\nhost: {parts.netloc}"
        self.max_idle = max_idle
        self.idle: list[Connection] = []
        self.busy: set[Connection] = set()
        self.tunnels: set[Tunnel] = set()
        self.connecting = 0
        self.opened = 0
        self.now = 0.0

    def take(self) -> "Connection | None":
        """The connection that was used last: the others may then grow old and be closed."""
        idle = self.idle
        while idle:
            connection = idle.pop()
            if not connection.closed:
                return connection
        return None

    def release(self, connection: "Connection") -> None:
        """Take a connection back."""
        connection.idle_since = self.now
        if len(self.idle) < self.max_idle:
            self.idle.append(connection)
        else:
            connection.drop()

    def lose(self, connection: "Connection") -> None:
        """A connection is closed, or no longer to be used."""
        self.busy.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    def drop_idle(self, before: float = float("inf")) -> None:
        """Close the connections that have been idle since earlier than `before`."""
        while self.idle and self.idle[0].idle_since < before:
            # The oldest come first: the last one in is the first one out.
            self.idle[0].drop()
