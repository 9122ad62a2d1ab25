"""A lost server is restored to a moment, and what cannot be restored is refused with its reason."""

from pathlib import Path

import pytest

from deploy.local.postgres import PostgresCluster
from tests.integration.backup.conftest import World, rows
from tests.integration.backup.harness import Backups


def data_of(server: PostgresCluster) -> Path:
    return server.folder / "data"


def restore(backups: Backups, server: PostgresCluster, *arguments: str) -> str:
    """Restores a server, and starts it."""
    said = backups.done("restore.sh", "to", *arguments, PGDATA=str(data_of(server)))
    server.start()
    return said


def refused(backups: Backups, server: PostgresCluster, *arguments: str) -> str:
    """What a restore says that is refused."""
    finished = backups("restore.sh", "to", *arguments, PGDATA=str(data_of(server)))
    assert finished.returncode == 1
    return finished.stderr


def needed_segment(backups: Backups) -> Path:
    """The segment that follows those of the base backup: rows that the moment needs are in it."""
    own = max(path.name for path in (backups.bases()[0] / "pg_wal").iterdir() if path.is_file())
    return next(path for path in backups.segments() if path.name[:24] > own)


def test_every_row_until_the_moment_and_none_after(world: World, target: PostgresCluster) -> None:
    said = restore(world.backups, target, world.moment)

    assert rows(target) == {"first": 50, "second": 50, "third": 50}
    assert "last completed transaction was at" in said
    # It takes rows, and is no server that only follows.
    target.query("DELETE FROM nmt_requests", "nlp")
    assert target.query("SELECT timeline_id > 1 FROM pg_control_checkpoint()") == "t"


def test_the_latest_state_has_the_mistake_too(world: World, target: PostgresCluster) -> None:
    restore(world.backups, target, "latest")

    assert rows(target) == {"first": 50, "after": 50}


def test_a_mistake_of_the_restore_is_mended_by_another(
    world: World, target: PostgresCluster
) -> None:
    restore(world.backups, target, "latest")
    assert "stop it" in refused(world.backups, target, "--replace", world.moment)
    target.stop()
    assert "is not empty" in refused(world.backups, target, world.moment)
    target.start()
    assert rows(target) == {"first": 50, "after": 50}
    target.stop()

    restore(world.backups, target, "--replace", world.moment)

    assert rows(target) == {"first": 50, "second": 50, "third": 50}


def test_backups_are_listed_and_verified(world: World) -> None:
    name = world.backups.bases()[0].name

    assert world.backups.done("restore.sh", "list").startswith(f"{name}  ")
    assert f"{name} and its log are whole" in world.backups.done("restore.sh", "verify")
    assert "no base backup 2" in world.backups("restore.sh", "verify", "2").stderr


def test_a_restored_server_has_backups_of_its_own(
    copied: Backups, world: World, target: PostgresCluster
) -> None:
    restore(copied, target, world.moment)
    again = Backups(copied.folder, target)

    with again.running():
        again.wait_until_good()

    assert len(again.sets()) == len(again.bases()) == 2
    for base in again.bases():
        again.done("restore.sh", "verify", base.name)


def test_moments_that_no_backup_reaches(world: World, target: PostgresCluster) -> None:
    assert "no base backup is as old" in refused(world.backups, target, world.earlier)
    assert "is no moment" in refused(world.backups, target, "yesterdayish")
    assert list(data_of(target).iterdir()) == []
    name = world.backups.bases()[0].name

    said = refused(world.backups, target, "--base", name, "2100-01-01 00:00+00")

    assert "recovery ended before configured recovery target was reached" in said
    assert "the log ends before that moment" in said


@pytest.mark.parametrize("file", ["global/pg_control", "backup_manifest", "base"])
def test_a_damaged_base_backup_is_refused(
    copied: Backups, world: World, target: PostgresCluster, file: str
) -> None:
    path = copied.bases()[0] / file
    if path.is_dir():  # A table of the service's.
        path = max(path.glob("*/[0-9]*"), key=lambda one: one.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    assert "is damaged" in copied("restore.sh", "verify").stderr
    assert "is damaged" in refused(copied, target, world.moment)
    assert list(data_of(target).iterdir()) == []


def test_a_missing_file_of_a_base_backup_is_refused(
    copied: Backups, world: World, target: PostgresCluster
) -> None:
    (copied.bases()[0] / "PG_VERSION").unlink()

    assert "is damaged" in copied("restore.sh", "verify").stderr
    assert "is damaged" in refused(copied, target, world.moment)


def test_a_missing_segment_is_named(copied: Backups, world: World, target: PostgresCluster) -> None:
    lost = needed_segment(copied)
    lost.unlink()
    name = lost.name.removesuffix(".gz")

    for said in (
        copied("restore.sh", "verify").stderr,
        refused(copied, target, "latest"),
        refused(copied, target, world.moment),
    ):
        assert f"segment {name} of the log is missing" in said
    assert not (data_of(target) / "postmaster.pid").exists()


def test_a_damaged_segment_is_named(copied: Backups, world: World, target: PostgresCluster) -> None:
    damaged = needed_segment(copied)
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    name = damaged.name.removesuffix(".gz")

    for said in (
        copied("restore.sh", "verify").stderr,
        refused(copied, target, "latest"),
        refused(copied, target, world.moment),
    ):
        assert f"segment {name} of the log is damaged" in said
