"""The ASR service on real Triton and real databases."""

import asyncio
import base64
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import pytest
from sqlalchemy import text

from deploy.local.postgres import PostgresCluster
from deploy.local.triton import TritonServer
from services.asr.db.schema import MIGRATIONS
from services.asr.main import create_app
from services.asr.settings import AsrSettings
from shared.crypto.keyring import new_key_line
from shared.db.engine import create_engine
from shared.db.migrations import upgrade
from tests.support.known_speakers import SCOPES
from tests.support.live_app import Keys, LiveApp, live_app
from tests.support.recordings import recordings
from tests.support.voices import Voice, real_voices

ROOT = Path(__file__).resolve().parents[3]
INFERENCE = "/api/v1/asr/inference"


class FreshIdentity(httpx.Auth):
    """A token for each request: one lives a minute, the tests together longer."""

    def __init__(self, keys: Keys, *scopes: str, tenant: str = "tenant") -> None:
        self._make = partial(keys.headers, "asr", *scopes, tenant=tenant)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self._make())
        yield request


@dataclass(frozen=True)
class Asr:
    """A running ASR service, a client of it, and its settings."""

    app: LiveApp
    client: httpx.Client
    settings: AsrSettings

    def client_of(self, *scopes: str, tenant: str = "tenant") -> httpx.Client:
        """Another sender's client; the caller closes it."""
        auth = FreshIdentity(self.app.keys, *scopes, tenant=tenant)
        return httpx.Client(base_url=self.app.url, auth=auth, timeout=60.0, trust_env=False)

    def infer(self, *contents: bytes, **config: Any) -> httpx.Response:
        """Post recordings in a ULCA body."""
        document = {
            "audio": [{"audioContent": base64.b64encode(one).decode()} for one in contents],
            "config": {"language": {"sourceLanguage": "en"}, **config},
        }
        return self.client.post(INFERENCE, json=document)


Rows = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def rows() -> Rows:
    """What a statement finds in a database."""

    async def read(url: str, statement: str) -> list[dict[str, Any]]:
        engine = create_engine(url, pool_size=1)
        try:
            async with engine.connect() as connection:
                return [dict(row) for row in (await connection.execute(text(statement))).mappings()]
        finally:
            await engine.dispose()

    return lambda url, statement: asyncio.run(read(url, statement))


@pytest.fixture(scope="session")
def execute() -> Callable[[str, str, dict[str, Any]], None]:
    """Changes a database behind the service's back."""

    async def run(url: str, statement: str, values: dict[str, Any]) -> None:
        engine = create_engine(url, pool_size=1)
        try:
            async with engine.begin() as connection:
                await connection.execute(text(statement), values)
        finally:
            await engine.dispose()

    return lambda url, statement, values: asyncio.run(run(url, statement, values))


@pytest.fixture(scope="session")
def make_service(
    keys: Keys, triton: TritonServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Asr]]:
    """Starts services, on SQLite and the real Triton unless told otherwise."""
    with ExitStack() as stack:

        def start(**overrides: Any) -> Asr:
            folder = tmp_path_factory.mktemp("asr")
            settings = AsrSettings(
                **{
                    "database_url": f"sqlite+aiosqlite:///{folder}/asr.db",
                    "spool_dir": folder / "spool",
                    "triton_url": triton.grpc_url,
                    "identity_public_key_file": keys.public_file,
                    "log_level": "error",
                    **overrides,
                }
            )
            upgrade(MIGRATIONS, settings.database_url)
            app = stack.enter_context(live_app("asr", create_app(settings), keys))
            auth = FreshIdentity(keys)
            client = httpx.Client(base_url=app.url, auth=auth, timeout=60.0, trust_env=False)
            return Asr(app, stack.enter_context(client), settings)

        yield start


@pytest.fixture(scope="session")
def service(make_service: Callable[..., Asr]) -> Asr:
    """One service, for the tests that break nothing."""
    return make_service()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, make_service: Callable[..., Asr], service: Asr) -> Asr:
    """A service on each kind of database."""
    if request.param == "sqlite":
        return service
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return make_service(database_url=cluster.create_database("speechgate_asr"))


@pytest.fixture(scope="session")
def short() -> bytes:
    """The shortest recording, 3 s."""
    return next(one.path.read_bytes() for one in recordings() if one.name == "0880")


@pytest.fixture(scope="session")
def voices() -> dict[str, Voice]:
    return {voice.name: voice for voice in real_voices()}


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data-keys") / "keys"
    path.write_text(new_key_line("first"))
    return path


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def keeper(request: pytest.FixtureRequest, make_service: Callable[..., Any], key_file: Path) -> Any:
    """A service with a key, on each kind of database."""
    more = {}
    if request.param == "postgresql":
        cluster = request.getfixturevalue("postgres")
        more["database_url"] = cluster.create_database("speechgate_asr_speakers")
    return make_service(data_key_file=key_file, speakers_max_per_tenant=3, **more)


@pytest.fixture
def tenant(keeper: Any, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of a tenant of its own."""
    with keeper.client_of(*SCOPES, tenant=f"t-{crc32(request.node.name.encode())}") as made:
        yield made
