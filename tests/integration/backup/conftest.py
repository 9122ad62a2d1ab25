"""A server with rows of several moments, and its backups."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.postgres import PostgresCluster
from shared.db.check import ROOT
from shared.db.migrations import upgrade
from tests.integration.backup.harness import ROLE, Backups, own, wait_until_received

ROWS = """
INSERT INTO nmt_requests SELECT '{mark}-' || n, 'tenant', 'key', '', '', clock_timestamp(), 'nmt',
    'succeeded', NULL, 1, 'en', 'es', 1, 1, 5 FROM generate_series(1, {count}) n;
INSERT INTO nmt_results SELECT id, id, 0, created_at, 'Hello', 'Hola'
    FROM nmt_requests WHERE id LIKE '{mark}-%'
"""


def add_rows(server: PostgresCluster, mark: str, count: int = 50) -> None:
    """Stores translations and an organization that are known by a mark."""
    server.query(ROWS.format(mark=mark, count=count), "nlp")
    server.query(
        f"INSERT INTO organizations (id, name, created_at) VALUES ('{mark}', '{mark}', now())",  # noqa: S608 - our own word
        "gateway",
    )
    server.query("SELECT pg_switch_wal()")


def rows(server: PostgresCluster) -> dict[str, int]:
    """How many translations there are by mark; those whose organization is gone too are missing."""
    found = server.query(
        "SELECT split_part(q.id, '-', 1), count(*) FROM nmt_requests q"
        " JOIN nmt_results r ON r.request_id = q.id GROUP BY 1",
        "nlp",
    )
    counted = dict(line.split("|") for line in found.splitlines())
    known = server.query("SELECT name FROM organizations WHERE name <> 'default'", "gateway")
    assert set(known.splitlines()) == set(counted)
    return {mark: int(count) for mark, count in counted.items()}


@dataclass(frozen=True)
class World:
    """What was backed up.

    Attributes:
        backups: Of a server that is gone.
        earlier: A moment before there was a base backup.
        moment: Before the mistake.
    """

    backups: Backups
    earlier: str
    moment: str


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresCluster]:
    """One with the schemas of two services and the role of backups."""
    yield from started_server(tmp_path / "run")


def started_server(run_dir: Path) -> Iterator[PostgresCluster]:
    """A server that is removed afterwards."""
    cluster = PostgresCluster(run_dir)
    cluster.start()
    try:
        cluster.query(f"CREATE ROLE {ROLE} LOGIN REPLICATION")
        for name, folder in (("gateway", "gateway"), ("nlp", "services/nlp")):
            upgrade(ROOT / folder / "migrations", cluster.create_database(name))
        yield cluster
    finally:
        cluster.purge()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with backups, an operator's mistake, and then the loss of the whole server."""
    for server in started_server(tmp_path_factory.mktemp("lost")):
        backups = Backups(server.folder / "backups", server)
        earlier = server.query("SELECT now()")
        add_rows(server, "first")
        with backups.running():
            backups.wait_until_good()
            add_rows(server, "second")
            add_rows(server, "third")
            moment = server.query("SELECT clock_timestamp()")
            server.query("DELETE FROM nmt_requests WHERE id NOT LIKE 'first-%'", "nlp")
            server.query("DELETE FROM organizations WHERE name IN ('second', 'third')", "gateway")
            add_rows(server, "after")
            wait_until_received(server)
            server.kill()
        yield World(backups, earlier, moment)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[PostgresCluster]:
    """A server whose data folder is still empty."""
    cluster = PostgresCluster(tmp_path / "target")
    data = cluster.folder / "data"
    data.mkdir(mode=0o700)
    own(data)
    yield cluster
    cluster.purge()


@pytest.fixture
def copied(world: World, target: PostgresCluster) -> Backups:
    """The backups, to be damaged."""
    folder = target.folder / "copy"
    subprocess.run(["cp", "-a", str(world.backups.folder), str(folder)], check=True)
    return Backups(folder)
