"""Who may upload calls, what is refused, and what an upload costs the gateway."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.calls.harness import CALLS, Behind, transcribed
from tests.integration.gateway.harness import (
    bearer,
    metric,
    problem,
    raw_exchange,
    scrape,
)
from tests.support.poll import eventually

MEGABYTE = 1 << 20


async def test_rights(behind: Behind) -> None:
    for held, refused in (("calls:read", "POST"), ("calls:write", "GET")):
        _, key = await behind.installation.create_key(held)
        async with httpx.AsyncClient(
            base_url=behind.gateway.url, headers=bearer(key), trust_env=False
        ) as client:
            answers = {
                "POST": await client.post(f"{CALLS}/transcribe", files={"file": b"a"}),
                "GET": await client.get(CALLS),
            }
            assert problem(answers.pop(refused))["code"] == "scope_missing"
            (allowed,) = answers.values()
            assert allowed.status_code == 200
    async with httpx.AsyncClient(base_url=behind.gateway.url, trust_env=False) as nobody:
        for path in ("/transcribe", "/replay", f"{CALLS}/transcribe"):
            assert problem(await nobody.post(path))["code"] == "key_missing"
    _, key = await behind.installation.create_key("*")
    async with httpx.AsyncClient(
        base_url=behind.gateway.url, headers=bearer(key), trust_env=False
    ) as everybody:
        for method, path in (
            ("POST", "/api/v1/asr/calls"),
            ("GET", f"/api/v1/asr/calls/{'a' * 32}"),
        ):
            assert problem(await everybody.request(method, path))["code"] == "not_found"


async def test_bad_uploads(behind: Behind, client: httpx.AsyncClient) -> None:
    for kind in ("audio/wav", "", "multipart/mixed; boundary=a", "text/json"):
        answer = await client.post("/transcribe", content=b"a", headers={"content-type": kind})
        assert (answer.status_code, problem(answer)["code"]) == (415, "unsupported_media_type")
    head = (
        f"POST /transcribe HTTP/1.1\r\nHost: a\r\nAuthorization: {client.headers['authorization']}"
    )
    kind = "Content-Type: multipart/form-data; boundary=a"
    status, told = await raw_exchange(
        behind.gateway.port,
        f"{head}\r\n{kind}\r\nContent-Length: {1 << 40}\r\n\r\n".encode(),
    )
    assert (status, b'"payload_too_large"' in told) == (413, True)
    for params in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}):
        assert (await client.get(CALLS, params=params)).status_code == 422
    assert (await client.get(f"{CALLS}/a b")).status_code in (400, 404)
    assert await behind.seen() == []


async def test_an_upload_does_not_lie_in_the_gateways_memory(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    size = 200 * MEGABYTE
    block = bytes(range(256)) * 4096
    digest = hashlib.sha256()

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(size // len(block)):
            digest.update(block)
            yield block

    await transcribed(client)
    before = peak_kilobytes(behind.gateway.pid)
    answer = await client.post(
        f"{CALLS}/transcribe",
        content=parts(),
        headers={"content-type": "multipart/form-data; boundary=a", "content-length": str(size)},
    )
    assert answer.status_code == 200
    passed = (await behind.seen())[-2]
    assert (passed["size"], passed["sha256"]) == (size, digest.hexdigest())
    assert peak_kilobytes(behind.gateway.pid) - before < 16 * 1024


async def test_a_client_that_leaves_ends_the_step(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    await behind.behave(asr={"wait_s": 30})
    with pytest.raises(httpx.ReadTimeout):
        await client.post(f"{CALLS}/transcribe", files={"file": b"audio"}, timeout=0.5)

    async def over() -> bool:
        found = await scrape(client)
        return metric(found, "speechgate_upstream_in_flight", upstream="asr") == 0

    await eventually(over)


async def test_calls_are_counted(behind: Behind, client: httpx.AsyncClient) -> None:
    before = await scrape(client)
    await transcribed(client)
    await behind.behave(nlp={"status": 503, "code": "x"})
    await transcribed(client)
    after = await scrape(client)

    def grown(name: str, **labels: str) -> float:
        return metric(after, name, **labels) - metric(before, name, **labels)

    assert grown("speechgate_calls_total", status="complete") == 1
    assert grown("speechgate_calls_total", status="degraded") == 1
    assert grown("speechgate_call_steps_missing_total", step="analysis") == 1
    assert grown("speechgate_call_seconds_total") == 8


def peak_kilobytes(pid: int) -> int:
    """The most memory that a process ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the process is gone")
