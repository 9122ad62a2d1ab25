import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from deploy.local import procfs
from deploy.local.info import StackInfo
from deploy.local.process import LauncherError, tail
from deploy.local.secrets import ensure_secrets, write_private
from deploy.local.services import Migration, _key_in, sqlite_revision

INFO = StackInfo(
    kind="full",
    gateway_url="http://127.0.0.1:1",
    services={"asr": ["http://127.0.0.1:2"]},
    triton={"grpc": "127.0.0.1:3"},
    databases={"gateway": "postgresql+asyncpg://speechgate@127.0.0.1:4/a"},
    redis_url=None,
    admin_key_file="key",
    identity_private_key_file="pem",
    key_pepper_file="pepper",
    pids={"asr": 1},
    supervisor_pid=2,
    run_dir="run",
    log_dir="log",
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_secrets_are_private_and_made_once(tmp_path: Path) -> None:
    files = ensure_secrets(tmp_path / "secrets")
    contents = [path.read_bytes() for path in (files.private_key, files.pepper, files.data_keys)]

    again = ensure_secrets(tmp_path / "secrets")

    assert [
        path.read_bytes() for path in (again.private_key, again.pepper, again.data_keys)
    ] == contents
    assert mode(tmp_path / "secrets") == 0o700
    private = (files.private_key, files.public_key, files.pepper, files.data_keys)
    assert {mode(path) for path in private} == {0o600}
    assert len(files.pepper.read_bytes()) == 32


def test_the_public_key_belongs_to_the_private_one(tmp_path: Path) -> None:
    files = ensure_secrets(tmp_path)
    private = load_pem_private_key(files.private_key.read_bytes(), None)
    public = load_pem_public_key(files.public_key.read_bytes())
    assert isinstance(private, Ed25519PrivateKey)
    assert isinstance(public, Ed25519PublicKey)

    public.verify(private.sign(b"token"), b"token")


def test_a_private_file_is_replaced_and_nothing_else_left(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    target.chmod(0o644)

    write_private(target, b"new")

    assert target.read_bytes() == b"new"
    assert mode(target) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_stack_info_round_trip(tmp_path: Path) -> None:
    INFO.save(tmp_path)

    assert StackInfo.load(tmp_path) == INFO
    assert mode(tmp_path / "stack.json") == 0o600


def test_no_or_broken_stack_info(tmp_path: Path) -> None:
    assert StackInfo.load(tmp_path) is None
    (tmp_path / "stack.json").write_text("{")
    assert StackInfo.load(tmp_path) is None


@pytest.mark.parametrize(
    "output",
    [
        '{"key": "sg_live_x"}\n',
        'a log line\n{"event": "made"}\n{"key": "sg_live_x"}\n',
        '{\n  "id": "1",\n  "key": "sg_live_x"\n}\n',
    ],
)
def test_the_key_is_found_in_the_output(output: str) -> None:
    assert _key_in(output) == "sg_live_x"


def test_output_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match="no key"):
        _key_in(f"{tmp_path}\n")


def test_sqlite_revision(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert sqlite_revision(path) is None
    with closing(sqlite3.connect(path)) as database:
        assert sqlite_revision(path) is None
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('0002')")
        database.commit()
    assert sqlite_revision(path) == "0002"


def test_migrations_run_again_when_the_database_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision: list[str | None] = [None]
    runs: list[list[str]] = []

    def run_once(arguments: list[str], *_: object) -> None:
        runs.append(arguments)
        revision[0] = "0001"

    monkeypatch.setattr("deploy.local.services.run_once", run_once)
    migration = Migration("asr", {}, tmp_path / "log", tmp_path / "note", lambda: revision[0])
    cancelled = threading.Event()

    assert migration.run(cancelled) is True
    assert migration.run(cancelled) is False
    assert runs == [["services.asr", "migrate"]]
    revision[0] = "0000"
    assert migration.run(cancelled) is False
    revision[0] = None
    assert migration.run(cancelled) is True
    assert len(runs) == 3


def test_tail(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == ""
    log.write_text("".join(f"line {n}\n" for n in range(5000)))
    assert tail(log, 2) == "line 4998\nline 4999"


def test_a_process_is_known_by_its_start_time() -> None:
    stat = procfs.read_stat(os.getpid())
    assert stat is not None
    assert procfs.is_running(os.getpid(), stat.start_time)
    assert not procfs.is_running(os.getpid(), stat.start_time + 1)
    assert procfs.command_line(os.getpid())
