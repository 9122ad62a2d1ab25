"""`speechgate doctor` on real databases, a real Redis, gateway processes and services.

One installation serves all tests: what is wrong with it, they say in the doctor's environment.
"""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from fastapi import FastAPI
from redis import Redis
from typer.testing import CliRunner

from deploy.local.postgres import PostgresCluster
from deploy.local.redis import RedisServer
from gateway.cli import app
from shared.app import create_service_app
from shared.health import Health
from shared.identity import IdentityIssuer
from shared.metrics import Metrics
from shared.settings import ServiceSettings
from tests.integration.gateway.harness import ROOT, Installation, Program, free_port
from tests.support.live_app import Keys, live_app

_UNUSED = f"http://127.0.0.1:{free_port()}"


class Part:
    """A dependency of the services, at the test's will."""

    failing = False

    async def check(self) -> None:
        if self.failing:
            raise ConnectionRefusedError


def service_app(name: str, folder: Path, public_key: str, part: Part) -> FastAPI:
    (folder / "public.pem").write_text(public_key)

    @asynccontextmanager
    async def open_context(health: Health, _: Metrics) -> AsyncIterator[None]:
        health.add("triton", part.check, critical=True, dependency="triton")
        yield

    settings = ServiceSettings(
        database_url="sqlite+aiosqlite://",
        identity_public_key_file=folder / "public.pem",
        spool_dir=folder,
    )
    return create_service_app(
        name=name, title="Test", settings=settings, open_context=open_context, routers=[]
    )


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresCluster, redis: RedisServer
) -> Installation:
    folder = tmp_path_factory.mktemp("doctor")
    made = Installation(folder, postgres.create_database("doctor"), redis.url)
    made.prepare()
    for name in ("pepper", "identity.pem"):
        (folder / name).chmod(0o600)
    return made


@pytest.fixture(scope="module")
def shared_part() -> Part:
    return Part()


@pytest.fixture
def part(shared_part: Part) -> Iterator[Part]:
    yield shared_part
    shared_part.failing = False


@pytest.fixture(scope="module")
def services(installation: Installation, shared_part: Part) -> Iterator[dict[str, str]]:
    """A replica of each service, that trusts the installation's gateway; base URLs by name."""
    folder = installation.folder
    keys = Keys(IdentityIssuer.from_file(folder / "identity.pem"), folder / "public.pem")
    with ExitStack() as stack:
        found = {}
        for name in ("asr", "tts", "nlp"):
            served = service_app(name, folder, installation.public_key, shared_part)
            found[name] = stack.enter_context(live_app(name, served, keys)).url
        yield found


@pytest.fixture
def service(services: dict[str, str]) -> str:
    return services["asr"]


@pytest.fixture(scope="module")
def gateway(installation: Installation, services: dict[str, str]) -> Iterator[Program]:
    program = installation.gateway(**{f"{name}_urls": url for name, url in services.items()})
    program.start()
    yield program
    program.stop()


def doctor(program: Program, *arguments: str, **changed: str) -> tuple[int, str]:
    """Exit status and output, in a gateway's environment."""
    env = {**os.environ, **program.env}
    env |= {f"SPEECHGATE_{name.upper()}": value for name, value in changed.items()}
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "doctor", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def findings(program: Program, **changed: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and what is not well by name; asked in this process, which has all loaded."""
    env = program.env | {f"SPEECHGATE_{name.upper()}": value for name, value in changed.items()}
    # The logs of this process are those of the services too.
    with patch.object(import_module("gateway.cli.doctor"), "logs_aside", nullcontext):
        result = CliRunner().invoke(app, ["doctor", "--json"], env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    status, document = result.exit_code, json.loads(result.stdout)
    assert document["status"] == ("error" if status else "ok")
    found = document["findings"]
    assert all(one["mend"] for one in found if one["level"] != "ok")
    return status, {one["check"]: one for one in found if one["level"] != "ok"}


def test_a_healthy_installation(gateway: Program) -> None:
    status, out = doctor(gateway, "--json")
    found = {one["check"]: one for one in json.loads(out)["findings"]}
    assert status == 0, out
    wrong = [one for one in found.values() if one["level"] == "error"]
    assert wrong == []
    assert {"settings", "key pepper 1", "identity key", "database", "redis"} <= found.keys()
    assert {"redis script", "redis memory", "gateway", "asr", "tts", "nlp"} <= found.keys()
    assert "1 of 1 replicas work" in found["asr"]["says"]
    assert "agree" in found["clocks"]["says"]
    assert found["database"]["level"] == found["redis"]["level"] == found["asr"]["level"] == "ok"


def test_nothing_secret_is_printed(gateway: Program, installation: Installation) -> None:
    _, out = doctor(gateway)
    _, document = doctor(gateway, "--json")
    pepper = (installation.folder / "pepper").read_text()
    key = (installation.folder / "identity.pem").read_text().splitlines()[1]
    for text in (out, document):
        assert pepper not in text
        assert key not in text
        assert installation.database_url not in text


def test_what_is_down_is_named(gateway: Program, part: Part, service: str) -> None:
    part.failing = True
    status, found = findings(
        gateway,
        redis_url="redis://:hunter2@127.0.0.1:1/0",
        tts_urls=f"{_UNUSED}",
        nlp_urls="",
        unleash_url=_UNUSED,
        unleash_token_file=str(Path(gateway.env["SPEECHGATE_KEY_PEPPER_FILE"])),
    )
    assert status == 1
    assert found["redis"]["level"] == "error"
    assert found["flags"]["level"] == "error"
    assert found[f"asr {service}"]["level"] == "error"
    assert "triton" in found[f"asr {service}"]["says"]
    assert found[f"tts {_UNUSED}"]["says"] == "does not answer"
    assert found["nlp"]["level"] == "warning"
    assert "hunter2" not in str(found)


def test_a_service_that_trusts_another_gateway(
    gateway: Program, installation: Installation, service: str, tmp_path: Path
) -> None:
    other = Installation(tmp_path / "other", f"sqlite+aiosqlite:///{tmp_path}/other.db")
    other.prepare()
    key = other.folder / "identity.pem"
    status, found = findings(gateway, identity_private_key_file=str(key))
    assert status == 1
    assert "trust" in found[f"asr {service}"]["says"]
    assert installation.public_key


def test_replicas_are_found_as_the_gateway_finds_them(
    gateway: Program, service: str, tmp_path: Path
) -> None:
    listed = tmp_path / "replicas"
    listed.write_text(f"{service}\n{_UNUSED}  # gone\n")
    status, out = doctor(
        gateway,
        "--json",
        asr_urls=f"file:{listed}",
        tts_urls="dns://no-such-name.invalid:1",
        nlp_urls="ftp://x",
    )
    found = {one["check"]: one for one in json.loads(out)["findings"]}
    assert status == 1
    assert "1 of 2 replicas work" in found["asr"]["says"]
    assert found[f"asr {_UNUSED}"]["level"] == "error"
    assert "looked up" in found["tts"]["says"]
    assert "no source" in found["nlp"]["says"]


def test_a_database_that_is_not_migrated(
    gateway: Program, postgres: PostgresCluster, tmp_path: Path
) -> None:
    empty = postgres.create_database(f"doctor_empty_{abs(hash(tmp_path)) % 10_000_000}")
    for url in (empty, f"sqlite+aiosqlite:///{tmp_path}/none.db"):
        status, found = findings(gateway, database_url=url)
        assert status == 1
        assert "db migrate" in found["database"]["mend"]
    assert not (tmp_path / "none.db").exists()
    status, found = findings(gateway, database_url="postgresql+asyncpg://u:hunter2@127.0.0.1:1/x")
    assert "no answer" in found["database"]["says"]
    assert "hunter2" not in str(found)


def test_a_redis_that_forgets(gateway: Program, redis: RedisServer) -> None:
    with Redis.from_url(redis.url) as client:
        client.config_set("maxmemory", 64 << 20)
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            _, found = findings(gateway)
            assert found["redis memory"]["level"] == "warning"
            client.config_set("maxmemory-policy", "noeviction")
            _, found = findings(gateway)
            assert "redis memory" not in found
        finally:
            client.config_set("maxmemory", 0)
            client.config_set("maxmemory-policy", "noeviction")


def test_without_an_installation_it_says_what_is_missing(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if "SPEECHGATE" not in name}
    program = Program([], 0, tmp_path / "log", env)
    status, out = doctor(program, "--run-dir", str(tmp_path))
    assert status == 1
    assert "SPEECHGATE_DATABASE_URL" in out
