from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from deploy.local.triton import TritonServer
from services.tts.db.schema import MIGRATIONS
from services.tts.main import create_app
from services.tts.settings import TtsSettings
from shared.db.migrations import upgrade
from tests.support.live_app import Keys, LiveApp, live_app

ROOT = Path(__file__).resolve().parents[3]
Serve = Callable[..., AbstractContextManager[LiveApp]]


def running_app(settings: TtsSettings, keys: Keys) -> AbstractContextManager[LiveApp]:
    size = settings.stream_max_message_bytes
    app = create_app(settings)
    return live_app("tts", app, keys, ws="websockets-sansio", ws_max_size=size)


@pytest.fixture
def settings(tmp_path: Path, triton: TritonServer, keys: Keys) -> TtsSettings:
    return TtsSettings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/tts.db",
        spool_dir=tmp_path / "spool",
        triton_url=triton.grpc_url,
        identity_public_key_file=keys.public_file,
        log_level="error",
    )


@pytest.fixture
def serve(keys: Keys) -> Serve:
    @contextmanager
    def run(settings: TtsSettings) -> Iterator[LiveApp]:
        upgrade(MIGRATIONS, settings.database_url)
        with running_app(settings, keys) as running:
            yield running

    return run


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    triton: TritonServer,
    keys: Keys,
) -> Iterator[LiveApp]:
    folder = tmp_path_factory.mktemp("tts")
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{folder}/tts.db"
    else:
        url = request.getfixturevalue("postgres").create_database("speechgate_tts")
    upgrade(MIGRATIONS, url)
    settings = TtsSettings(
        database_url=url,
        spool_dir=folder / "spool",
        triton_url=triton.grpc_url,
        identity_public_key_file=keys.public_file,
        log_level="error",
    )
    with running_app(settings, keys) as running:
        yield running
