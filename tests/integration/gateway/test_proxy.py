"""The proxied path over real sockets, on both stacks."""

import asyncio
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from shared.identity import IdentityVerifier
from tests.integration.gateway.conftest import Running
from tests.integration.gateway.harness import (
    ASR,
    bearer,
    metric,
    problem,
    raw_exchange,
    scrape,
    upstream_stats,
)
from tests.support.poll import eventually


async def test_body_and_answer_cross_unchanged_with_the_gateways_own_headers(
    client: httpx.AsyncClient, running: Running, key: str
) -> None:
    body = os.urandom(300_000)
    sent = {
        **bearer(key),
        "X-Request-ID": "my-request.1",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "X-SG-Identity": "forged",
        "X-User-Id": "forged",
        "X-Forwarded-For": "6.6.6.6",
        "Connection": "keep-alive, X-Named",
        "X-Named": "1",
        "X-Kept": "1",
        "Accept-Encoding": "br;q=0.3",
    }
    response = await client.post(f"{ASR}?a=1&b=%20", content=body, headers=sent)
    assert response.status_code == 200
    told = response.json()
    assert (told["path"], told["query"]) == (ASR, "a=1&b=%20")
    assert (told["size"], told["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    headers = [name for name, _ in told["headers"]]
    assert len(headers) == len(set(headers))
    received = dict(told["headers"])
    assert not {"authorization", "x-api-key", "x-user-id", "x-named"} & received.keys()
    assert received["x-kept"] == "1"
    assert received["accept-encoding"] == "br;q=0.3"
    assert received["x-request-id"] == "my-request.1"
    assert received["traceparent"].split("-")[1] == "a" * 32
    assert received["x-forwarded-for"] == "127.0.0.1"
    assert received["content-length"] == str(len(body))
    identity = IdentityVerifier(running.installation.public_key, "asr").verify(
        received["x-sg-identity"]
    )
    assert identity.scopes == {"*"}
    assert response.headers["x-request-id"] == "my-request.1"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["ratelimit-policy"].startswith('"minute";q=1000000;w=60')


async def test_expect_continue_with_a_large_upload(
    running: Running, key: str, tmp_path: Path
) -> None:
    curl = shutil.which("curl")
    assert curl is not None
    file = tmp_path / "audio"
    file.write_bytes(os.urandom(20_000_000))
    done = await asyncio.to_thread(
        subprocess.run,
        [
            *(curl, "-sv", "--data-binary", f"@{file}", "-H", "Expect: 100-continue"),
            *("-H", f"X-API-Key: {key}", running.gateway.url + ASR),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"100 Continue" in done.stderr
    assert hashlib.sha256(file.read_bytes()).hexdigest().encode() in done.stdout


def resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    raise AssertionError


async def test_large_bodies_stream_in_bounded_memory(
    client: httpx.AsyncClient, running: Running, key: str
) -> None:
    body = os.urandom(30_000_000)
    digest = hashlib.sha256(body).hexdigest()
    assert (await client.post(ASR, content=body[:3_000_000], headers=bearer(key))).is_success
    before = resident_kib(running.gateway.pid)
    responses = await asyncio.gather(
        *(client.post(ASR, content=body, headers=bearer(key)) for _ in range(3))
    )
    assert [response.json()["sha256"] for response in responses] == [digest] * 3
    url = f"{ASR}?mode=big&blocks=480"
    received = 0
    async with client.stream("POST", url, headers=bearer(key)) as response:
        async for part in response.aiter_bytes():
            received += len(part)
    assert received == 480 * 65536
    assert resident_kib(running.gateway.pid) - before <= 10 * 1024


async def test_an_answer_is_streamed_as_it_is_made(
    client: httpx.AsyncClient, running: Running, key: str
) -> None:
    async with client.stream("POST", f"{ASR}?mode=stream", headers=bearer(key)) as response:
        parts = response.aiter_bytes()
        assert await anext(parts) == b"first"
        async with httpx.AsyncClient(trust_env=False) as direct:
            await direct.get(running.upstream.url + "/release")
        assert await anext(parts) == b"second"


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_half_an_answer_is_never_taken_for_a_whole_one(
    client: httpx.AsyncClient, key: str, framing: str
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(f"{ASR}?mode=half&framing={framing}", headers=bearer(key))


async def test_a_client_that_leaves_cancels_the_work(
    client: httpx.AsyncClient, running: Running, key: str
) -> None:
    before = (await upstream_stats(running.upstream.url))["disconnects"]
    with pytest.raises(httpx.ReadTimeout):
        await client.post(
            f"{ASR}?mode=slow&seconds=20", content=b"x", headers=bearer(key), timeout=0.5
        )

    async def cancelled() -> bool:
        return (await upstream_stats(running.upstream.url))["disconnects"] == before + 1

    await eventually(cancelled)

    async def idle() -> bool:
        text = await scrape(client)
        return metric(text, "speechgate_upstream_in_flight", upstream="asr") == 0

    await eventually(idle)


async def test_a_client_that_leaves_during_its_upload_hurts_no_replica(
    client: httpx.AsyncClient, running: Running, key: str
) -> None:
    for _ in range(8):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.gateway.port)
        head = f"POST {ASR} HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n"
        writer.write(f"{head}Content-Length: 1000000\r\n\r\n".encode() + bytes(100_000))
        await writer.drain()
        writer.close()
        await reader.read()

    async def idle() -> bool:
        return (await upstream_stats(running.upstream.url))["in_flight"] == 0

    await eventually(idle)
    assert (await client.post(ASR, headers=bearer(key))).status_code == 200
    text = await scrape(client)
    assert metric(text, "speechgate_upstream_replica_state", upstream="asr") == 1.0


async def test_a_services_own_503_passes_and_its_401_does_not(
    client: httpx.AsyncClient, key: str
) -> None:
    response = await client.post(f"{ASR}?mode=status&status=503", headers=bearer(key))
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
    assert response.json() == {"code": "own"}
    assert "ratelimit" in response.headers
    assert "x-sg-inside" not in response.headers
    response = await client.post(f"{ASR}?mode=status&status=401", headers=bearer(key))
    assert (response.status_code, problem(response)["code"]) == (503, "upstream_refused")


async def test_compressed_answers_are_not_touched(running: Running, key: str) -> None:
    request = f"POST {ASR}?mode=status&status=200&gzip=1 HTTP/1.1\r\nHost: a\r\n"
    status, answer = await raw_exchange(
        running.gateway.port, f"{request}Authorization: {key}\r\n\r\n".encode()
    )
    assert status == 200
    assert b"content-encoding: gzip" in answer
    assert answer.endswith(b'{"code":"own"}')  # not gzip at all: nobody tried to decode it
    assert b"x-hop" not in answer


async def test_100_identical_requests_at_once(client: httpx.AsyncClient, running: Running) -> None:
    _, fresh = await running.installation.create_key()
    name, source = "speechgate_key_lookups_total", {"source": "database"}
    before = metric(await scrape(client), name, **source)
    responses = await asyncio.gather(
        *(client.post(ASR, content=b"same", headers=bearer(fresh)) for _ in range(100))
    )
    assert [response.status_code for response in responses] == [200] * 100
    assert len({response.headers["x-request-id"] for response in responses}) == 100
    # One for all that waited, and at most one more for those that came seconds later.
    assert metric(await scrape(client), name, **source) - before <= 2


async def test_refused_requests_keep_small_connections_open(running: Running, key: str) -> None:
    """A 401 with a small body leaves the connection usable for the next request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.gateway.port)
    head = f"POST {ASR} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    writer.write(f"{head}\r\nhello".encode())
    assert b" 401 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(f"{head}Authorization: {key}\r\n\r\nhello".encode())
    async with asyncio.timeout(5):
        assert b"HTTP/1.1 200 OK" in await reader.readuntil(b" 200 OK\r\n")
    writer.close()


async def test_metrics_and_log_know_templates_and_ids_but_never_the_key(
    client: httpx.AsyncClient, running: Running
) -> None:
    stored, text = await running.installation.create_key()
    response = await client.get("/api/v1/asr/requests/some-id-1", headers=bearer(text))
    assert response.status_code == 200
    exposition = await scrape(client)
    route = "/api/v1/asr/requests/{id}"
    assert metric(exposition, "speechgate_http_requests_total", route=route, status="200") >= 1
    assert "some-id-1" not in exposition
    request_id = response.headers["x-request-id"]
    # Lines are written many at a time.
    await eventually(lambda: request_id in running.gateway.log.read_text())
    log = running.gateway.log.read_text()
    line = next(line for line in log.splitlines() if request_id in line)
    for expected in (f'"key_id":"{stored.id}"', f'"route":"{route}"', '"upstream":"asr"'):
        assert expected in line
    assert text not in log
    assert text.rpartition("_")[2] not in log + exposition
