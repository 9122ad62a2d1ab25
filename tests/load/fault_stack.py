"""The stack of the fault drill: every component behind a proxy that can slow it or hide it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.postgres import PostgresCluster
from deploy.local.process import LauncherError
from deploy.local.redis import RedisServer
from deploy.local.unleash import UnleashServer
from gateway.settings import GatewaySettings
from tests.integration.gateway.harness import Installation, make_upstream
from tests.load.fault_rules import UPSTREAM_TIMEOUT_S
from tests.load.machine import tree
from tests.load.steady_load import Keys
from tests.load.tcp_proxy import TcpProxy

_DATABASE = "gateway_drill"
_NEW_KEYS = 60
_MANY = 1_000_000
_LIMITED_PER_MINUTE = 5


class Process(Protocol):
    """A component's process: those of the launcher and those of the tests."""

    @property
    def pid(self) -> int | None:
        """Its id."""

    def start(self) -> None:
        """Starts it, and waits until it is ready."""

    def kill(self) -> None:
        """Ends it at once."""


@dataclass
class Part:
    """A component and the proxy before it."""

    process: Process
    proxy: TcpProxy
    delay_s: float

    async def kill(self) -> None:
        """Ends it; its port refuses connections."""
        self.proxy.down()
        await asyncio.to_thread(self.process.kill)

    async def revive(self) -> None:
        """Starts it again."""
        await asyncio.to_thread(self.process.start)
        await self.proxy.up()

    async def signal(self, number: signal.Signals) -> None:
        """Sends a signal to all its processes."""
        for pid in tree(self.process.pid or 0):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    async def slow(self) -> None:
        """Delays what it is sent and what it sends."""
        self.proxy.delay_s = self.delay_s

    async def hasten(self) -> None:
        """Delays nothing any more."""
        self.proxy.delay_s = 0.0


@dataclass
class FaultStack:
    """Gateway, two replicas, Redis, PostgreSQL and, where it is installed, Unleash."""

    url: str
    keys: Keys
    redis: Part
    database: Part
    replicas: tuple[Part, Part]
    flags: Part | None
    why_no_flags: str

    @staticmethod
    @asynccontextmanager
    async def start(folder: Path) -> "AsyncIterator[FaultStack]":
        """Starts it all."""
        async with AsyncExitStack() as exits:

            async def part(process: Process, port: int, delay_s: float) -> Part:
                proxy = TcpProxy(port)
                await proxy.up()
                exits.callback(proxy.down)
                return Part(process, proxy, delay_s)

            redis, cluster = RedisServer(folder / "redis"), PostgresCluster(folder, fsync=False)
            exits.callback(cluster.purge)
            exits.callback(redis.stop)
            upstreams = [make_upstream(folder), make_upstream(folder)]
            for upstream in upstreams:
                exits.callback(upstream.kill)
            components: list[Process] = [redis, cluster, *upstreams]
            for component in components:
                await asyncio.to_thread(component.start)
            database_url = await asyncio.to_thread(cluster.create_database, _DATABASE)
            parts = [
                await part(redis, redis.port, 0.2),
                await part(cluster, cluster.port, 0.3),
                await part(upstreams[0], upstreams[0].port, 0.2),
                await part(upstreams[1], upstreams[1].port, 0.2),
            ]
            settings = {
                "asr_urls": ",".join(f"http://127.0.0.1:{p.proxy.port}" for p in parts[2:]),
                "upstream_timeout_s": str(UPSTREAM_TIMEOUT_S),
                "upstream_slow_timeout_s": str(UPSTREAM_TIMEOUT_S),
            }
            flags, why, more = await _start_flags(folder, cluster, exits)
            flag_part = None
            if flags is not None:
                flag_part = await part(flags, flags.port, 0.5)
                settings |= more | {"unleash_url": f"http://127.0.0.1:{flag_part.proxy.port}"}
            installation = Installation(
                folder / "gateway",
                database_url.replace(f":{cluster.port}/", f":{parts[1].proxy.port}/"),
                redis.url.replace(f":{redis.port}/", f":{parts[0].proxy.port}/"),
            )
            await asyncio.to_thread(installation.prepare)
            keys = await _make_keys(installation)
            gateway = installation.gateway(**settings)
            exits.callback(gateway.kill)
            await asyncio.to_thread(gateway.start)
            yield FaultStack(
                gateway.url, keys, parts[0], parts[1], (parts[2], parts[3]), flag_part, why
            )


async def _make_keys(installation: Installation) -> Keys:
    async def key(per_minute: int = _MANY) -> str:
        made = await installation.create_key(
            "*", per_minute=per_minute, per_hour=_MANY, per_day=_MANY
        )
        return made[1]

    hot, limited = await key(), await key(_LIMITED_PER_MINUTE)
    new = [await key() for _ in range(_NEW_KEYS)]
    return Keys(hot, limited, iter(new))


async def _start_flags(
    folder: Path, cluster: PostgresCluster, exits: AsyncExitStack
) -> tuple[UnleashServer | None, str, dict[str, str]]:
    """Unleash; None, and why, where it cannot be used."""
    if "unleash_url" not in GatewaySettings.model_fields:
        return None, "the gateway has no setting for it", {}
    server = UnleashServer(folder, cluster)
    exits.callback(server.stop)
    try:
        await asyncio.to_thread(server.start)
    except LauncherError as error:
        return None, str(error).splitlines()[0], {}
    # Often, so that a fault of seconds falls into several refreshes.
    return (
        server,
        "",
        {
            "unleash_token_file": str(server.backend_token_file),
            "unleash_refresh_s": "1",
        },
    )
