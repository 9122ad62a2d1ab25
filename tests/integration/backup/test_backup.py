"""Backups are taken without end, go with the days, and begin anew where the log has a gap."""

import subprocess

import asyncpg

from deploy.local.ports import HOST
from deploy.local.postgres import PostgresCluster
from tests.integration.backup.conftest import add_rows
from tests.integration.backup.harness import ROLE, SCRIPTS, Backups, wait_until_received


def test_receiving_goes_on_where_it_ended(server: PostgresCluster) -> None:
    backups = Backups(server.folder / "backups", server)
    with backups.running():
        backups.wait_until_good()
    add_rows(server, "between")
    assert "nobody receives" in backups("backup.sh", "check").stderr

    with backups.running():
        wait_until_received(server)
        server.restart()
        backups.wait_until_good()
        add_rows(server, "later")
        wait_until_received(server)

    assert len(backups.sets()) == len(backups.bases()) == 1
    backups.done("restore.sh", "verify")


def test_a_gap_begins_a_new_set(server: PostgresCluster) -> None:
    backups = Backups(server.folder / "backups", server)
    with backups.running():
        backups.wait_until_good()
    server.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    server.query("ALTER SYSTEM SET min_wal_size = '32MB'")
    server.query("SELECT pg_reload_conf()")
    for mark in ("a", "b", "c", "d"):
        add_rows(server, mark)
    server.query("CHECKPOINT")
    assert server.query("SELECT wal_status FROM pg_replication_slots") == "lost"
    server.query("ALTER SYSTEM RESET max_slot_wal_keep_size")
    server.query("SELECT pg_reload_conf()")

    with backups.running():
        backups.wait_until_good()

    assert "the server gave up" in backups.log()
    assert len(backups.sets()) == len(backups.bases()) == 2
    backups.done("restore.sh", "verify")
    backups.done("backup.sh", "end")
    assert server.query("SELECT count(*) FROM pg_replication_slots") == "0"


async def test_who_only_holds_the_slot_receives_nothing(server: PostgresCluster) -> None:
    backups = Backups(server.folder / "backups", server)
    with backups.running():
        backups.wait_until_good()
    backups.done("backup.sh", "end")

    # As the one that makes a slot does for a moment.
    session = await asyncpg.connect(host=HOST, port=server.port, user=ROLE, database="postgres")
    try:
        await session.execute(
            "SELECT pg_create_physical_replication_slot('speechgate_backup', true, true)"
        )
        assert server.query("SELECT active FROM pg_replication_slots") == "t"

        assert "nobody receives" in backups("backup.sh", "check").stderr
    finally:
        await session.close()


def test_what_the_last_days_do_not_need_is_removed(server: PostgresCluster) -> None:
    backups = Backups(server.folder / "backups", server)
    with backups.running():
        backups.wait_until_good()
        first = backups.bases()[0]
        for name in ("20010101T000000Z", "20010102T000000Z"):
            subprocess.run(["cp", "-a", str(first), str(first.with_name(name))], check=True)
        subprocess.run(["rm", "-r", str(first)], check=True)
        assert "s old" in backups("backup.sh", "check").stderr
        add_rows(server, "newer")
        # The log may begin before what the first base backup needs.
        oldest = backups.first_segment(backups.bases()[0])

        backups.done("backup.sh", "base")

        # The one from before the last days stays: moments at their beginning need it.
        kept, new = (path.name for path in backups.bases())
        assert kept == "20010102T000000Z" < new
        assert backups.has(oldest)
        backups.done("restore.sh", "verify", kept)

        add_rows(server, "newest")
        backups.done("backup.sh", "base", BACKUP_KEEP_DAYS="0")
        assert new not in (path.name for path in backups.bases())
        assert not backups.has(oldest)
        backups.done("restore.sh", "verify")


def test_a_base_backup_that_fails_leaves_none(server: PostgresCluster) -> None:
    backups = Backups(server.folder / "backups", server)
    said = backups("backup.sh", "base")
    assert said.returncode == 1
    assert "start `backup.sh run` first" in said.stderr
    with backups.running():
        backups.wait_until_good()
        before = backups.bases()
        (backups.sets()[0] / "base").chmod(0o500)
        assert backups("backup.sh", "base").returncode != 0
        (backups.sets()[0] / "base").chmod(0o700)
        assert backups.bases() == before


def test_scripts_say_how_they_are_used(tmp_path: object) -> None:
    for script in ("backup.sh", "restore.sh"):
        finished = subprocess.run(
            ["bash", str(SCRIPTS / script)],
            env={"BACKUP_FOLDER": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
            timeout=10,
        )
        assert finished.returncode == 1
        assert finished.stderr.startswith(f"{script}: usage: {script} ")
