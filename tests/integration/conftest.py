"""Real components that all integration tests share: starting each once is most of the time saved.

A test that kills one starts it again before it ends.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.triton import TritonServer
from tests.support.live_app import Keys

MODELS = Path(__file__).resolve().parents[2] / "triton_models"


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """The real server over the project's own model folders."""
    server = TritonServer(MODELS, tmp_path_factory.mktemp("triton"), instances=2)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """A cluster; each test makes databases of its own."""
    cluster = PostgresCluster(tmp_path_factory.mktemp("postgres"), fsync=False)
    cluster.start()
    yield cluster
    cluster.purge()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The key pair of the gateway that the services trust."""
    return Keys.make(tmp_path_factory.mktemp("keys"))
