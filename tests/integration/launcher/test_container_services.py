"""The jobs of the compose file, and what they write, against the real servers."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from deploy.docker.inside import bootstrap, databases
from deploy.local.ports import PortAllocator
from deploy.local.postgres import PostgresCluster


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    bootstrap.make_missing(tmp_path)
    return tmp_path


@pytest.fixture
def postgres(run_dir: Path) -> Iterator[PostgresCluster]:
    cluster = PostgresCluster(run_dir)
    cluster.start()
    yield cluster
    cluster.purge()


async def test_databases_are_made_once_and_passwords_follow(
    postgres: PostgresCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=postgres.port, user="postgres", database="postgres"
    )
    try:
        for password in ("one", "two'; DROP TABLE x; --"):
            await databases.make_missing(connection, {"speechgate_asr": password})
        rows = await connection.fetch(
            "SELECT r.rolcanlogin, r.rolsuper, pg_get_userbyid(d.datdba) AS owner,"
            " has_database_privilege('public', d.oid, 'CONNECT') AS open"
            " FROM pg_roles r JOIN pg_database d ON d.datname = r.rolname"
            " WHERE r.rolname = 'speechgate_asr'"
        )
        assert [tuple(row) for row in rows] == [(True, False, "speechgate_asr", False)]
    finally:
        await connection.close()
    assert "two" not in capsys.readouterr().out

    own = await asyncpg.connect(
        host="127.0.0.1", port=postgres.port, user="speechgate_asr", database="speechgate_asr"
    )
    await own.execute("CREATE TABLE t (n int)")
    await own.close()


async def test_the_role_of_backups_may_replicate_and_has_no_database(
    postgres: PostgresCluster,
) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=postgres.port, user="postgres", database="postgres"
    )
    try:
        for password in ("one", "two"):
            await databases.make_backup_role(connection, password)
        found = await connection.fetchrow(
            "SELECT rolcanlogin, rolreplication, rolsuper, rolcreaterole FROM pg_roles"
            " WHERE rolname = $1",
            bootstrap.BACKUP_ROLE,
        )
        assert tuple(found) == (True, True, False, False)
        assert not await connection.fetchval(
            "SELECT count(*) FROM pg_database WHERE datname = $1", bootstrap.BACKUP_ROLE
        )
    finally:
        await connection.close()


@pytest.fixture
def redis_port(secrets: Path) -> Iterator[int]:
    port = PortAllocator().lease()
    users = secrets / "redis/users.acl"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--aclfile", str(users)]
    process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    try:
        while True:
            try:
                with Redis(port=port) as client:
                    client.ping()
                break
            except RedisError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def test_who_has_no_password_may_only_ping(redis_port: int) -> None:
    with Redis(port=redis_port) as client:
        assert client.ping()
        with pytest.raises(NoPermissionError):
            client.get("key")


def test_the_gateway_may_do_what_it_does_and_no_more(redis_port: int, secrets: Path) -> None:
    url = (secrets / "gateway/redis-url").read_text()
    url = url.replace(bootstrap.REDIS_HOST, f"127.0.0.1:{redis_port}")
    with Redis.from_url(url) as client, client.pubsub() as listener:
        listener.subscribe("changes")
        client.set("a", "1", px=1000)
        assert client.getdel("a") == b"1"
        script = "redis.call('LPUSH', KEYS[1], redis.call('TIME')[1]) return 1"
        assert client.evalsha(client.script_load(script), 1, "k") == 1
        assert client.eval(script, 1, "k") == 1
        assert client.publish("changes", "x") == 1
        assert "run_id" in client.info("server")
        for forbidden in (client.flushall, client.config_get, client.keys):
            with pytest.raises(NoPermissionError):
                forbidden()
