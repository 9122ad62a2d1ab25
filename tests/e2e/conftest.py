"""Whole stacks, started by the same launcher as `make up`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Stack, StackOptions
from tests.support.recordings import EngineAlone

KINDS = ("embedded", "full")
MakeKey = Callable[..., str]


@pytest.fixture(scope="session", params=KINDS)
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """One stack of each kind for the tests that leave it whole."""
    run_dir = tmp_path_factory.mktemp(f"stack-{request.param}")
    with Stack(StackOptions(kind=request.param, run_dir=run_dir)) as started:
        yield started


def admin_key(stack: Stack) -> str:
    return Path(stack.info.admin_key_file).read_text().strip()


def speechgate(stack: Stack, *arguments: str) -> str:
    """Run the command line of the product against a stack; its standard output."""
    finished = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments, "--run-dir", str(stack.info.run_dir)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            name: value for name, value in os.environ.items() if not name.startswith("SPEECHGATE_")
        },
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def make_key(stack: Stack, *options: str) -> dict[str, str]:
    """A new key; `key` is its text and `id` its id."""
    made: dict[str, str] = json.loads(speechgate(stack, "keys", "create", "--json", *options))
    return made


def client_of(stack: Stack, key: str | None = None) -> httpx.Client:
    """A client of the gateway; with the admin key unless told otherwise (empty: none)."""
    key = admin_key(stack) if key is None else key
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=stack.info.gateway_url, headers=headers, timeout=60)


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    with client_of(stack) as client:
        yield client


@pytest.fixture(scope="session")
def engine_alone() -> Iterator[EngineAlone]:
    engine = EngineAlone()
    yield engine
    engine.close()
