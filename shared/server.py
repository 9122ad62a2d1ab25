"""Runs an application under uvicorn, and its migrations."""

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from shared.collector import sparing_start_up
from shared.draining import CLOSE, linger, stop_listening
from shared.settings import CommonSettings

_LEAST_GRACE_S = 1


class _Server(uvicorn.Server):
    """Turns readiness off at the first signal, before connections are drained."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, linger_s: float) -> None:
        super().__init__(config)
        self._app = app
        self._linger_s = linger_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._app.state.health.draining = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before uvicorn closes every WebSocket in the middle of what it tells.
        for drain in self._app.state.health.drains:
            await drain()
        began = time.monotonic()
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        await stop_listening(self.servers, self._protocol)
        await linger(self.server_state.connections, self._linger_s)
        if self.config.timeout_graceful_shutdown is not None:
            left = self.config.timeout_graceful_shutdown - int(time.monotonic() - began)
            self.config.timeout_graceful_shutdown = max(_LEAST_GRACE_S, left)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """What serves a connection, as uvicorn makes it."""
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def serve(
    app: FastAPI,
    settings: CommonSettings,
    http: type[asyncio.Protocol] | None = None,
    *,
    max_message_bytes: int = 0,
) -> None:
    """Serve until SIGTERM, then finish what is in flight.

    Args:
        app: The application.
        settings: Address and grace time.
        http: Protocol of client connections; uvicorn's over httptools when absent.
        max_message_bytes: Largest WebSocket message; 0 for an application without any.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=http or "httptools",
        ws="websockets-sansio" if max_message_bytes else "none",
        ws_max_size=max_message_bytes,
        # Speech does not get smaller, and a compressor costs each stream 300 kB.
        ws_per_message_deflate=False,
        # A client that is held back cannot answer a ping meanwhile.
        ws_ping_timeout=60.0,
        access_log=False,
        log_config=None,
        server_header=False,
        # A client's X-Forwarded-For is not believed; uvicorn would, from loopback.
        proxy_headers=False,
        # Longer than the gateway's pool keeps an idle connection, so that the gateway closes first.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.shutdown_grace_s),
        backlog=2048,
    )
    app.router.lifespan_context = sparing_start_up(app.router.lifespan_context)
    _Server(config, app, settings.shutdown_linger_s).run(bound(settings))


def bound(settings: CommonSettings) -> list[socket.socket] | None:
    """Sockets that share their address with other processes; None where it is not shared.

    They are bound only: the kernel gives a process connections once it listens, which is when it
    is ready to serve them.
    """
    if not settings.reuse_port:
        return None
    found = []
    addresses = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    for family, kind, protocol, _, address in dict.fromkeys(addresses):
        one = socket.socket(family, kind, protocol)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            one.setsockopt(socket.SOL_SOCKET, option, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        found.append(one)
    return found


def main(
    program: str,
    create_app: Callable[[], FastAPI],
    load_settings: Callable[[], CommonSettings],
    migrations: Path,
    http: type[asyncio.Protocol] | None = None,
) -> None:
    """The command line of a deployable: `serve` (default) or `migrate`."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("command", nargs="?", choices=["serve", "migrate"], default="serve")
    command = parser.parse_args(sys.argv[1:]).command
    settings = load_settings()
    if command == "migrate":
        # Not at the top: a process that serves does without Alembic's 7 MB.
        from shared.db.migrations import upgrade  # noqa: PLC0415

        upgrade(migrations, settings.database_url)
    else:
        limit = getattr(settings, "stream_max_message_bytes", 0)
        serve(create_app(), settings, http, max_message_bytes=limit)
