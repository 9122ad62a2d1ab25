"""Real processes for the gateway's integration tests: gateway, upstreams, and their secrets."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.cli.environment import CliSettings, Services, open_services
from gateway.db.schema import MIGRATIONS
from gateway.models.accounts import NewUser, User
from gateway.models.keys import ApiKey, KeyLimits, NewKey
from gateway.services.authority import OPERATOR
from shared.db.base import new_id, utc_now
from shared.db.migrations import upgrade

ROOT = Path(__file__).parents[3]
ASR = "/api/v1/asr/inference"
START_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            if httpx.get(url, timeout=2.0).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)


@dataclass
class Program:
    """A child process that answers HTTP."""

    command: list[str]
    port: int
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    health: str = "/health"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        if self.process is not None:
            self.process.wait(10)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=ROOT,
                env={**os.environ, **self.env},
                stdout=log,
                stderr=log,
            )
        wait_for(self.url + self.health, self.process, self.log)

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 15.0) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


def make_upstream(folder: Path, port: int | None = None) -> Program:
    port = port or free_port()
    script = str(Path(__file__).with_name("upstream_app.py"))
    return Program([script, str(port)], port, folder / f"upstream-{port}.log")


@dataclass
class Installation:
    """A database, secrets and the settings of the gateways that share them."""

    folder: Path
    database_url: str
    redis_url: str = ""
    public_key: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "pepper").write_text("0123456789abcdef" * 4)
        private = Ed25519PrivateKey.generate()
        encoding, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        (self.folder / "identity.pem").write_bytes(
            private.private_bytes(encoding, pkcs8, serialization.NoEncryption())
        )
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        self.public_key = private.public_key().public_bytes(encoding, spki).decode()
        upgrade(MIGRATIONS, self.database_url)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "SPEECHGATE_DATABASE_URL": self.database_url,
            "SPEECHGATE_REDIS_URL": self.redis_url,
            "SPEECHGATE_KEY_PEPPER_FILE": str(self.folder / "pepper"),
            "SPEECHGATE_IDENTITY_PRIVATE_KEY_FILE": str(self.folder / "identity.pem"),
            **self.settings,
            **{f"SPEECHGATE_{name.upper()}": value for name, value in more.items()},
        }

    def gateway(self, **settings: str) -> Program:
        port = free_port()
        env = self.environment(port=str(port), **settings)
        return Program(["-m", "gateway"], port, self.folder / f"gateway-{port}.log", env)

    async def create_key(
        self,
        *scopes: str,
        expires_in: timedelta | None = None,
        tenant: str = "default",
        models: Iterable[str] | None = None,
        **limits: int,
    ) -> tuple[ApiKey, str]:
        """A key; quotas are high unless the test gives some."""
        new = NewKey(
            name="test",
            scopes=frozenset(scopes or ("*",)),
            limits=KeyLimits(**(limits or dict.fromkeys(QUOTAS, 1_000_000))),
            models=None if models is None else frozenset(models),
            expires_at=utc_now() + expires_in if expires_in else None,
        )
        async with self.services() as services:
            return await services.keys.create(OPERATOR, new, tenant_name=tenant)

    async def create_user(
        self, *roles: str, email: str | None = None, tenant: str = "default"
    ) -> User:
        """A user whose password is `PASSWORD`."""
        new = NewUser(email or f"{new_id()}@example.org", "Test", frozenset(roles), PASSWORD)
        async with self.services() as services:
            organization = await services.accounts.organizations.ensure(OPERATOR, tenant)
            return await services.accounts.users.create(OPERATOR, new, tenant_id=organization.id)

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        """What the command line works with."""
        settings = CliSettings(
            database_url=self.database_url,
            redis_url=self.redis_url,
            key_pepper_file=self.folder / "pepper",
        )
        async with open_services(settings) as services:
            yield services

    async def cli(self, *arguments: str) -> str:
        """Output of `python -m gateway.cli …`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", *arguments),
            cwd=ROOT,
            env={**os.environ, **self.environment()},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()


PASSWORD = "correct horse battery staple"  # noqa: S105 - of users that only tests have
QUOTAS = ("per_minute", "per_hour", "per_day")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def raw_exchange(port: int, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; the status and everything that came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        answer = b""
        async with asyncio.timeout(10):
            while part := await reader.read(65536):
                answer += part
                head, separator, body = answer.partition(b"\r\n\r\n")
                if separator and len(body) >= _declared(head):
                    break
        return int(answer.split(b" ", 2)[1]), answer
    finally:
        writer.close()


def _declared(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def metric(text: str, name: str, **labels: str) -> float:
    """One sample of a Prometheus exposition; 0 when absent."""
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(
            f'{key}="{label}"' in series for key, label in labels.items()
        ):
            return float(value)
    return 0.0


async def scrape(client: httpx.AsyncClient) -> str:
    return (await client.get("/metrics")).text


def problem(response: httpx.Response) -> Any:
    """The problem document, after checking that it is one."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["request_id"] == response.headers["x-request-id"]
    return document


async def upstream_stats(url: str) -> dict[str, int]:
    """What the upstream counted so far."""
    async with httpx.AsyncClient(trust_env=False) as direct:
        found: dict[str, int] = (await direct.get(f"{url}/stats")).json()
        return found
