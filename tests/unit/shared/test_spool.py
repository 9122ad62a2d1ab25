import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.db.spool import Spool

ROWS = {"t": [{"id": "1", "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "doc": {"a": [1]}}]}


def test_gives_back_what_was_appended(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(ROWS)
    (name,) = spool.names()
    assert spool.read(name) == ROWS
    assert spool.depth() == 1
    spool.remove(name)
    assert spool.names() == []
    assert spool.depth() == 0


def test_another_process_finds_the_files_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(20):
        spool.append({"t": [{"id": str(number)}]})
    successor = Spool(tmp_path)
    assert successor.depth() == 20
    found = [successor.read(name)["t"][0]["id"] for name in successor.names()]
    assert sorted(found, key=int) == [str(number) for number in range(20)]


def test_knows_how_long_the_oldest_has_waited(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.oldest_at() is None
    began = time.time()
    spool.append(ROWS)
    time.sleep(0.01)
    middle = time.time()
    spool.append(ROWS)
    first, second = spool.names()
    for known in (spool, Spool(tmp_path)):  # A process that starts finds what another one left.
        oldest = known.oldest_at()
        assert oldest is not None
        assert began - 0.002 <= oldest <= middle
    spool.remove(first)
    oldest = spool.oldest_at()
    assert oldest is not None
    assert oldest >= middle - 0.002
    spool.remove(second)
    assert spool.oldest_at() is None


def test_a_file_that_somebody_put_there_has_no_age(tmp_path: Path) -> None:
    (tmp_path / "by-hand.json").write_text("{}")
    assert Spool(tmp_path).oldest_at() is None


def test_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_files=1)
    spool.append(ROWS)
    with pytest.raises(OSError, match="full"):
        spool.append(ROWS)


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(ROWS)
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool" / spool.names()[0]).stat().st_mode & 0o077 == 0


def test_an_unfinished_file_is_not_replayed(tmp_path: Path) -> None:
    (tmp_path / "x.json.partial").write_bytes(b'{"t": [{"id"')
    assert Spool(tmp_path).names() == []
