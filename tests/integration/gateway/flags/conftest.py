"""A real flag server, and a gateway process that follows it once a second."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.redis import RedisServer
from deploy.local.unleash import ENVIRONMENT, UnleashServer
from gateway.flags.names import ASR_MODEL
from tests.integration.gateway.harness import ASR, Installation, Program, bearer
from tests.support.flags import Feature, model_flag
from tests.support.poll import eventually

REFRESH_S = 1.0
DATABASE = "gateway_flags"
API = "/api/v1/feature-flags"


def remove(unleash: UnleashServer, cluster: PostgresCluster, name: str) -> None:
    """Take a flag away for good: the name of an archived one stays taken.

    Unleash notes a moment later that a flag was archived, and ends when that one is gone by then.
    """
    unleash.archive(name)
    noted = "SELECT feature FROM feature_lifecycles WHERE stage = 'archived'"
    asyncio.run(eventually(lambda: name in cluster.query(noted, "unleash").splitlines()))
    unleash._call("DELETE", f"/api/admin/archive/{name}")


@dataclass
class FlagWorld:
    """Unleash, and one gateway that has its flags."""

    unleash: UnleashServer
    installation: Installation
    gateway: Program
    upstream: Program
    cluster: PostgresCluster

    def query(self, sql: str) -> str:
        """Rows of the gateway's database, a line each, columns separated by `|`."""
        return self.cluster.query(sql, DATABASE)

    @contextmanager
    def another(self, **settings: str) -> Iterator[Program]:
        """One more gateway process on the same database."""
        urls = dict.fromkeys(("asr_urls", "tts_urls", "nlp_urls"), self.upstream.url)
        program = self.installation.gateway(**{**urls, **settings})
        try:
            program.start()
            yield program
        finally:
            assert program.stop() in (0, -15)


@pytest.fixture(scope="session")
def unleash(
    postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UnleashServer]:
    server = UnleashServer(tmp_path_factory.mktemp("unleash"), postgres)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def flag_world(
    unleash: UnleashServer,
    postgres: PostgresCluster,
    redis: RedisServer,
    upstream: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FlagWorld]:
    folder = tmp_path_factory.mktemp("flags")
    settings = {
        "SPEECHGATE_UNLEASH_URL": unleash.url,
        "SPEECHGATE_UNLEASH_TOKEN_FILE": str(unleash.backend_token_file),
        "SPEECHGATE_UNLEASH_ENVIRONMENT": ENVIRONMENT,
        "SPEECHGATE_UNLEASH_REFRESH_S": str(REFRESH_S),
        "SPEECHGATE_FLAGS_CACHE_DIR": str(folder / "cache"),
        "SPEECHGATE_FLAG_AUDIT_FLUSH_S": "0.1",
    }
    url = postgres.create_database(DATABASE)
    installation = Installation(folder, url, redis.url, settings=settings)
    installation.prepare()
    urls = dict.fromkeys(("asr_urls", "tts_urls", "nlp_urls"), upstream.url)
    gateway = installation.gateway(**urls)
    gateway.start()
    yield FlagWorld(unleash, installation, gateway, upstream, postgres)
    assert gateway.stop() in (0, -15)


Client = httpx.AsyncClient
ClientOf = Callable[..., Any]


@asynccontextmanager
async def client_of(program: Program, key: str) -> AsyncIterator[Client]:
    """A client of a gateway that sends a key."""
    async with httpx.AsyncClient(
        base_url=program.url, headers=bearer(key), timeout=30, trust_env=False
    ) as opened:
        yield opened


@pytest.fixture
async def open_client(flag_world: FlagWorld) -> AsyncIterator[ClientOf]:
    """Makes clients of the shared gateway, each with a key of its own."""
    async with AsyncExitStack() as stack:

        async def make(*scopes: str, tenant: str = "default") -> Client:
            _, key = await flag_world.installation.create_key(*scopes, tenant=tenant)
            return await stack.enter_async_context(client_of(flag_world.gateway, key))

        yield make


@pytest.fixture
async def client(open_client: ClientOf) -> Client:
    """The client of a key that may do everything in its organization."""
    made: Client = await open_client()
    return made


@pytest.fixture
def make_flag(
    unleash: UnleashServer, postgres: PostgresCluster
) -> Iterator[Callable[[Feature], str]]:
    """Makes flags in Unleash that are gone after the test."""
    names: list[str] = []

    def make(feature: Feature) -> str:
        assert unleash.add_feature(feature)
        names.append(feature["name"])
        return names[-1]

    yield make
    for name in names:
        remove(unleash, postgres, name)


@pytest.fixture
def route_asr(unleash: UnleashServer) -> Iterator[Callable[[int, Any], None]]:
    """Rolls a model of speech recognition out to a part of the senders; off after the test."""

    def roll_out(percent: int, model: Any) -> None:
        flag = model_flag(ASR_MODEL, percent, model)
        unleash.replace_strategies(ASR_MODEL, flag["strategies"])
        unleash.switch(ASR_MODEL, on=True)

    yield roll_out
    unleash.switch(ASR_MODEL, on=False)


@pytest.fixture
def flag_name() -> str:
    """A name that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


async def routed(client: Client, key: str | None = None) -> tuple[str, str | None]:
    """The variant that a request is told, and the model that the service is told."""
    headers = bearer(key) if key else None
    response = await client.post(ASR, content=b"x", headers=headers)
    assert response.status_code == 200, response.text
    sent = dict(response.json()["headers"])
    return response.headers["x-model-variant"], sent.get("x-sg-model")


async def synced(client: Client, name: str) -> Any:
    """Synchronize until a flag is on: Unleash shows its clients a change within a second.

    It makes flags in steps, of which the last switches them on.
    """
    answers: list[Any] = []

    async def on() -> bool:
        response = await client.post(f"{API}/sync")
        assert response.status_code == 200, response.text
        answers.append(response.json())
        found = await client.get(f"{API}/{name}")
        return found.status_code == 200 and bool(found.json()["enabled"])

    await eventually(on)
    return answers[-1]


async def evaluated(client: Client, name: str, **more: Any) -> Any:
    """What the evaluation API says of a flag."""
    response = await client.post(f"{API}/evaluate", json={"flag_name": name, **more})
    assert response.status_code == 200, response.text
    return response.json()
