"""A gateway with an admin port tells clients nothing of itself."""

import signal
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.gateway.harness import (
    ASR,
    Installation,
    Program,
    bearer,
    free_port,
    metric,
)
from tests.support.poll import eventually


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("admin_port")
    made = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}")
    made.prepare()
    return made


@pytest.fixture(scope="module")
def admin_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def gateway(installation: Installation, admin_port: int, upstream: Program) -> Iterator[Program]:
    program = installation.gateway(
        asr_urls=upstream.url, admin_port=str(admin_port), shutdown_linger_s="3"
    )
    program.start()
    yield program
    assert program.stop() in (0, -15)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    url = f"http://127.0.0.1:{port}{path}"
    return httpx.request(method, url, headers=headers, timeout=10, trust_env=False)


async def test_operators_read_it_on_their_port(
    gateway: Program, admin_port: int, installation: Installation
) -> None:
    _, key = await installation.create_key()
    answer = ask(gateway.port, ASR, "POST", **bearer(key))
    assert answer.status_code == 200

    text = ask(admin_port, "/metrics").text
    labels = {"service": "gateway", "method": "POST", "route": ASR, "status": "200"}
    assert metric(text, "speechgate_http_requests_total", **labels) == 1
    report = ask(admin_port, "/health/detailed").json()
    assert report["checks"]["database"]["status"] == "ok"
    for port in (admin_port, gateway.port):
        assert ask(port, "/health").json() == {"status": "ok"}
        assert ask(port, "/ready").json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/metrics", "/health/detailed", "/metrics?a", "/%6detrics"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
async def test_clients_do_not(
    gateway: Program, installation: Installation, path: str, method: str
) -> None:
    _, key = await installation.create_key()
    for headers in ({}, bearer(key)):
        answer = ask(gateway.port, path, method, **headers)
        absent = ask(gateway.port, "/nothing", method, **headers)
        assert answer.status_code == absent.status_code == 404
        assert "speechgate_" not in answer.text


def test_the_document_does_not_name_them(gateway: Program) -> None:
    paths = ask(gateway.port, "/openapi.json").json()["paths"].keys()
    assert {"/health", "/ready"} <= paths
    assert not {"/metrics", "/health/detailed"} & paths


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/api/v1/auth/me", ASR])
def test_the_admin_port_has_nothing_else(gateway: Program, admin_port: int, path: str) -> None:
    assert gateway.pid
    answer = ask(admin_port, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_it_listens_where_it_is_told_alone(gateway: Program, admin_port: int) -> None:
    assert gateway.pid
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", admin_port)) != 0


def test_a_port_that_is_taken_ends_the_start(
    gateway: Program, admin_port: int, installation: Installation
) -> None:
    assert gateway.pid
    second = installation.gateway(admin_port=str(admin_port))
    with pytest.raises(AssertionError, match="address already in use"):
        second.start()
    assert second.stop() != 0


def test_two_gateways_may_share_both_ports(installation: Installation) -> None:
    shared = {"reuse_port": "true", "admin_port": str(free_port())}
    first = installation.gateway(**shared)
    second = installation.gateway(**shared)
    try:
        first.start()
        second.start()
        first.stop()
        assert ask(int(shared["admin_port"]), "/ready").status_code == 200
    finally:
        first.stop()
        second.stop()


async def test_what_drains_is_still_watched(installation: Installation, upstream: Program) -> None:
    admin_port = free_port()
    program = installation.gateway(
        asr_urls=upstream.url, admin_port=str(admin_port), shutdown_linger_s="5"
    )
    program.start()
    try:
        async with httpx.AsyncClient(base_url=program.url, trust_env=False) as idle:
            await idle.get("/health")  # It lingers for one more request on this connection.
            assert program.process is not None
            program.process.send_signal(signal.SIGTERM)
            await eventually(lambda: ask(admin_port, "/ready").json() == {"status": "draining"})
            assert "speechgate_" in ask(admin_port, "/metrics").text
    finally:
        assert program.stop() in (0, -15)
    with pytest.raises(httpx.ConnectError):
        ask(admin_port, "/health")
