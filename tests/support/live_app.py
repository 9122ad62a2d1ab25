"""A service's application behind a real HTTP server, in a thread of the test process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fastapi import FastAPI

from shared.identity import IDENTITY_HEADER, Identity, IdentityIssuer


@dataclass(frozen=True)
class Keys:
    """The gateway's key pair."""

    issuer: IdentityIssuer
    public_file: Path

    @classmethod
    def make(cls, folder: Path) -> "Keys":
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        file = folder / "identity.pem"
        file.write_bytes(public)
        return cls(IdentityIssuer(private.decode()), file)

    def headers(
        self, audience: str, *scopes: str, tenant: str = "tenant", subject: str = "key"
    ) -> dict[str, str]:
        identity = Identity(subject, tenant, frozenset(scopes or {"*"}))
        return {IDENTITY_HEADER: self.issuer.issue(identity, audience)}


@dataclass(frozen=True)
class LiveApp:
    """A running service."""

    name: str
    url: str
    keys: Keys

    def client(self, *scopes: str, tenant: str = "tenant", timeout_s: float = 60.0) -> httpx.Client:
        """A client that sends an identity token; the caller closes it."""
        headers = self.keys.headers(self.name, *scopes, tenant=tenant)
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)


@contextmanager
def live_app(name: str, app: FastAPI, keys: Keys, **options: Any) -> Iterator[LiveApp]:
    """Serve on a free port until the block ends."""
    options = {"loop": "uvloop", "http": "httptools", "ws": "none", **options}
    config = uvicorn.Config(app, port=0, access_log=False, log_config=None, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name=f"live-{name}")
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the application did not start"
            assert time.monotonic() < deadline, "the application did not start in time"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield LiveApp(name, f"http://127.0.0.1:{port}", keys)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the application did not stop"


def until(condition: Callable[[], bool], *, timeout_s: float) -> None:
    """Return when the condition holds; `AssertionError` when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"did not hold within {timeout_s} s"
        time.sleep(0.02)
