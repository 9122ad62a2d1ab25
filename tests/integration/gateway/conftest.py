"""Components shared by the gateway's integration tests.

`gateway` and `client` run every test that uses them against both stacks: SQLite and in-process
limits, PostgreSQL and Redis.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.redis import RedisServer
from tests.integration.gateway.harness import Installation, Program, make_upstream


@dataclass
class Running:
    """A gateway with one upstream behind all three services."""

    installation: Installation
    gateway: Program
    upstream: Program


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = make_upstream(tmp_path_factory.mktemp("upstream"))
    program.start()
    yield program
    program.stop()


def make_installation(
    kind: str, folder: Path, request: pytest.FixtureRequest, name: str
) -> Installation:
    if kind == "embedded":
        installation = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}")
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        server: RedisServer = request.getfixturevalue("redis")
        installation = Installation(folder, cluster.create_database(name), server.url)
    installation.prepare()
    return installation


@pytest.fixture(scope="session", params=["embedded", "full"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Program
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp(request.param)
    installation = make_installation(request.param, folder, request, "gateway_suite")
    gateway = installation.gateway(
        asr_urls=upstream.url,
        tts_urls=upstream.url,
        nlp_urls=upstream.url,
        receive_timeout_s="1",
        usage_flush_s="0.2",
    )
    gateway.start()
    yield Running(installation, gateway, upstream)
    assert gateway.stop() in (0, -15)


@pytest.fixture
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(
        base_url=running.gateway.url, timeout=30, limits=limits, trust_env=False
    ) as opened:
        yield opened


@pytest.fixture
async def key(running: Running) -> str:
    """A key that may do everything, often."""
    return (await running.installation.create_key())[1]
