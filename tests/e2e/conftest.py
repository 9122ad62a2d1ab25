"""Whole stacks, started by the same launcher as `make up`.

There is one of each kind: a start is 20 s of a core. Tests marked `breaks` come last.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Stack, StackOptions
from tests.support.live_app import until
from tests.support.recordings import EngineAlone
from tests.support.rolling import Roller, settings

KINDS = ("full", "embedded")
MakeKey = Callable[..., str]


@pytest.hookimpl(trylast=True)  # After pytest's own order, by the parameters of fixtures.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a stack one after the other, those that break it at the end."""
    kinds = {item: _kind_of(item) for item in items}
    places = [place for place, item in enumerate(items) if kinds[item] is not None]
    ordered = sorted(
        (items[place] for place in places),
        key=lambda item: (kinds[item], item.get_closest_marker("breaks") is not None),
    )
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def _kind_of(item: pytest.Item) -> int | None:
    """Number of the kind of stack that a test runs on."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    kind = parameters.get("stack")
    return KINDS.index(kind) if kind in KINDS else None


@pytest.fixture(scope="session", params=KINDS)
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """One stack of each kind; a test that breaks a part mends it before it ends.

    The full one has the settings of `make up`. The embedded one finds its replicas in files, so
    that they can be replaced.
    """
    run_dir = tmp_path_factory.mktemp(f"stack-{request.param}")
    if request.param == "full":
        with Stack(StackOptions(kind="full", run_dir=run_dir)) as started:
            yield started
        return
    with Stack(StackOptions(run_dir=run_dir, process_env=settings(run_dir))) as started:
        Roller(started, run_dir)
        with client_of(started) as client:
            for path in ("asr/languages", "tts/voices", "nmt/languages"):
                until(partial(_answers, client, path), timeout_s=20)
        yield started


def _answers(client: httpx.Client, path: str) -> bool:
    return client.get(f"/api/v1/{path}").is_success


@pytest.fixture
def roller(stack: Stack) -> Roller:
    """Of the embedded stack."""
    return Roller(stack, Path(stack.info.run_dir))


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
