"""A gateway process that starts before its database is migrated."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.db.migrations import upgrade
from tests.integration.gateway.harness import MIGRATIONS, ROOT, Installation, Program, wait_for
from tests.support.live_app import until


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/prepared.db")
    made.prepare()
    made.database_url = f"sqlite+aiosqlite:///{tmp_path}/late.db"
    return made


def begin(program: Program) -> "subprocess.Popen[bytes]":
    """Start it without waiting for its health."""
    with program.log.open("ab") as log:
        program.process = subprocess.Popen(
            [sys.executable, *program.command],
            cwd=ROOT,
            env={**os.environ, **program.env},
            stdout=log,
            stderr=log,
        )
    return program.process


def waits(program: Program) -> bool:
    return b"waiting for the database" in program.log.read_bytes()


def test_it_serves_as_soon_as_the_migration_is_done(installation: Installation) -> None:
    gateway = installation.gateway()
    process = begin(gateway)
    try:
        until(lambda: waits(gateway), timeout_s=30)
        upgrade(MIGRATIONS, installation.database_url)
        wait_for(f"{gateway.url}/health", process, gateway.log)
    finally:
        assert gateway.stop() in (0, -signal.SIGTERM)
    assert b"the database is ready" in gateway.log.read_bytes()
    assert gateway.log.read_bytes().count(b"waiting for the database") == 1


def test_it_ends_when_it_is_told_to_while_it_waits(installation: Installation) -> None:
    gateway = installation.gateway()
    begin(gateway)
    until(lambda: waits(gateway), timeout_s=30)
    gateway.stop(timeout_s=5.0)


def test_it_ends_when_nobody_migrates(installation: Installation) -> None:
    gateway = installation.gateway(database_wait_s="1")
    assert begin(gateway).wait(30) != 0
    assert b"SchemaOutdated" in gateway.log.read_bytes()
