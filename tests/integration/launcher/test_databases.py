import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.process import LauncherError, wait_until
from deploy.local.redis import RedisServer


@pytest.fixture
def postgres(run_dir: Path) -> Iterator[PostgresCluster]:
    cluster = PostgresCluster(run_dir)
    cluster.start()
    yield cluster
    cluster.purge()


def test_committed_rows_survive_a_kill(postgres: PostgresCluster) -> None:
    url = postgres.create_database("speechgate_asr")
    postgres.query("CREATE TABLE t (n int); INSERT INTO t VALUES (7)", "speechgate_asr")

    postgres.kill(signal.SIGKILL)
    assert not postgres.probe()
    postgres.restart()

    assert postgres.url("speechgate_asr") == url
    assert postgres.query("SELECT n FROM t", "speechgate_asr") == "7"


def test_data_outlives_the_object(postgres: PostgresCluster, run_dir: Path) -> None:
    postgres.create_database("speechgate_tts")
    postgres.stop()

    again = PostgresCluster(run_dir)
    again.start()
    try:
        assert again.query("SELECT 1 FROM pg_database WHERE datname = 'speechgate_tts'") == "1"
    finally:
        again.stop()


def test_create_database_is_idempotent_and_its_user_no_superuser(
    postgres: PostgresCluster,
) -> None:
    first = postgres.create_database("speechgate_nlp")

    assert postgres.create_database("speechgate_nlp") == first
    assert first.startswith("postgresql+asyncpg://speechgate@127.0.0.1:")
    assert postgres.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'speechgate'") == "f"


def test_commits_reach_the_disk_unless_told_otherwise(
    postgres: PostgresCluster, tmp_path: Path
) -> None:
    assert postgres.query("SHOW fsync") == "on"
    fast = PostgresCluster(tmp_path / "fast", fsync=False)
    fast.start()
    try:
        assert fast.query("SHOW fsync") == "off"
    finally:
        fast.purge()
    assert not fast.running


def test_a_wrong_statement_is_an_error(postgres: PostgresCluster) -> None:
    with pytest.raises(LauncherError, match="nowhere"):
        postgres.query("SELECT * FROM nowhere")


def test_an_interrupted_initdb_is_repeated(run_dir: Path) -> None:
    cluster = PostgresCluster(run_dir)
    (cluster.folder / "half").mkdir()
    (cluster.folder / "half" / "rest").touch()
    cluster.start()
    try:
        assert cluster.query("SELECT 1") == "1"
    finally:
        cluster.purge()


def test_purge_removes_the_data(run_dir: Path) -> None:
    cluster = PostgresCluster(run_dir)
    cluster.start()
    folder = cluster.folder

    cluster.purge()

    assert not folder.exists()


def test_redis_answers_and_comes_back_on_its_port(run_dir: Path) -> None:
    server = RedisServer(run_dir)
    server.start()
    try:
        url = server.url
        server.kill(signal.SIGKILL)
        assert not server.probe()
        server.restart()
        assert server.probe()
        assert server.url == url
    finally:
        server.stop()
    assert wait_until(lambda: not server.probe(), 5)
