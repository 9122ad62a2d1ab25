from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from deploy.local.triton import TritonServer
from services.nlp.db.schema import MIGRATIONS
from services.nlp.main import create_app
from services.nlp.settings import NlpSettings
from shared.db.migrations import upgrade
from tests.support.live_app import Keys, LiveApp, live_app

ROOT = Path(__file__).resolve().parents[3]
Serve = Callable[..., AbstractContextManager[LiveApp]]


@pytest.fixture
def settings(tmp_path: Path, triton: TritonServer, keys: Keys) -> NlpSettings:
    return NlpSettings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/nlp.db",
        spool_dir=tmp_path / "spool",
        triton_url=triton.grpc_url,
        identity_public_key_file=keys.public_file,
        log_level="error",
    )


@pytest.fixture
def serve(keys: Keys) -> Serve:
    @contextmanager
    def run(settings: NlpSettings) -> Iterator[LiveApp]:
        upgrade(MIGRATIONS, settings.database_url)
        with live_app("nlp", create_app(settings), keys) as running:
            yield running

    return run


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    triton: TritonServer,
    keys: Keys,
) -> Iterator[LiveApp]:
    folder = tmp_path_factory.mktemp("nlp")
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{folder}/nlp.db"
    else:
        url = request.getfixturevalue("postgres").create_database("speechgate_nlp")
    upgrade(MIGRATIONS, url)
    settings = NlpSettings(
        database_url=url,
        spool_dir=folder / "spool",
        triton_url=triton.grpc_url,
        identity_public_key_file=keys.public_file,
        log_level="error",
    )
    with live_app("nlp", create_app(settings), keys) as running:
        yield running
