"""Runs an application under uvicorn, and its migrations."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from shared.settings import CommonSettings


class _Server(uvicorn.Server):
    """Turns readiness off at the first signal, before connections are drained."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._app.state.health.draining = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before uvicorn closes every WebSocket in the middle of what it tells.
        for drain in self._app.state.health.drains:
            await drain()
        await super().shutdown(sockets)


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
    _Server(config, app).run()


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
