"""What clients see while parts of the full stack are killed, and after."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import procfs
from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key, client_of, make_key
from tests.e2e.test_main_job import rows
from tests.support.poll import eventually
from tests.support.recordings import recordings

SPEECH = recordings()[4].path.read_bytes()
pytestmark = [
    pytest.mark.breaks,
    pytest.mark.parametrize("stack", ["full"], indirect=True),
]


def transcribe(client: httpx.Client) -> httpx.Response:
    return client.post(
        "/api/v1/asr/transcribe", files={"file": ("a.wav", SPEECH)}, data={"language": "en"}
    )


def metric(client: httpx.Client, name: str, *labels: str) -> float:
    """The sum of a metric's samples that carry all the given labels."""
    total, found = 0.0, False
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(name) and all(label in line for label in labels):
            total, found = total + float(line.rsplit(" ", 1)[1]), True
    assert found, f"no metric {name} with {labels}"
    return total


def whole_again(client: httpx.Client, *, timeout_s: float) -> float:
    """Seconds until a transcription succeeds."""
    started = time.monotonic()
    while transcribe(client).status_code != 200:
        assert time.monotonic() - started < timeout_s, "did not recover in time"
        time.sleep(0.1)
    return time.monotonic() - started


def test_triton_killed(stack: Stack) -> None:
    with client_of(stack) as client:
        assert transcribe(client).status_code == 200
        stack.pause_restart("triton")
        stack.kill("triton", signal.SIGKILL)
        answer = transcribe(client)
        assert answer.status_code == 503, answer.text
        assert answer.json()["code"] in {"inference_unavailable", "model_unavailable"}
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.elapsed.total_seconds() <= 1
        assert client.get("/health").status_code == 200
        stack.restart("triton")
        whole_again(client, timeout_s=10)


def test_a_models_process_killed(stack: Stack) -> None:
    """A dead Python stub comes back without a restart of anything else."""
    with client_of(stack) as client:
        whole_again(client, timeout_s=10)
        pids = dict(stack.info.pids)
        below = procfs.descendants(pids["triton"])
        stubs = [pid for pid in below if "/asr/" in " ".join(procfs.command_line(pid))]
        assert stubs
        for stub in stubs:
            os.kill(stub, signal.SIGKILL)
        whole_again(client, timeout_s=30)
        assert stack.info.pids["triton"] == pids["triton"]


def test_redis_killed(stack: Stack) -> None:
    key = make_key(stack, "--name", "during outage", "--scope", "*", "--per-minute", "5")["key"]
    with client_of(stack, key) as client:
        assert client.get("/api/v1/asr/languages").status_code == 200
        stack.pause_restart("redis")
        stack.kill("redis", signal.SIGKILL)
        statuses = [client.get("/api/v1/asr/languages").status_code for _ in range(8)]
        assert set(statuses) <= {200, 429}, statuses
        assert 200 in statuses, "a valid key is served without Redis"
        assert 429 in statuses, "limits are held per process"
        assert metric(client, "speechgate_dependency_up", 'dependency="redis"') == 0
        stack.restart("redis")
        deadline = time.monotonic() + 10
        while metric(client, "speechgate_dependency_up", 'dependency="redis"') != 1:
            with client_of(stack) as admin:
                assert admin.get("/api/v1/asr/languages").status_code == 200
            assert time.monotonic() < deadline
            time.sleep(0.1)


async def _load(url: str, key: str, stop: asyncio.Event, acknowledged: list[str]) -> list[int]:
    """Transcribe until told to stop; ids of what was acknowledged, statuses of what was not."""
    failures: list[int] = []
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        while not stop.is_set():
            answer = await client.post(
                "/api/v1/nlp/sentiment/inference",
                json={
                    "input": [{"source": "This is a good day."}],
                    "config": {"language": {"sourceLanguage": "en"}},
                },
            )
            if answer.status_code == 200:
                acknowledged.append(answer.json()["id"])
            else:
                failures.append(answer.status_code)
                await asyncio.sleep(0.02)
    return failures


async def _ids(url: str) -> set[str]:
    return {row["id"] for row in await rows(url, "SELECT id FROM nlp_requests")}


async def test_no_acknowledged_result_is_lost_with_postgresql(stack: Stack) -> None:
    stop, acknowledged = asyncio.Event(), list[str]()
    key, url = admin_key(stack), stack.info.gateway_url
    clients = [asyncio.create_task(_load(url, key, stop, acknowledged)) for _ in range(8)]

    async def more(count: int) -> None:
        target = len(acknowledged) + count
        await eventually(lambda: len(acknowledged) >= target, timeout_s=30)

    await more(100)
    await asyncio.to_thread(stack.pause_restart, "postgres")
    await asyncio.to_thread(stack.kill, "postgres", signal.SIGKILL)
    await more(100)
    await asyncio.to_thread(stack.restart, "postgres")
    await more(100)
    stop.set()
    failures = [status for found in await asyncio.gather(*clients) for status in found]
    assert set(failures) <= {503}, failures
    missing: set[str] = set(acknowledged)
    deadline = time.monotonic() + 20
    while missing:
        missing = set(acknowledged) - await _ids(stack.info.databases["nlp"])
        assert time.monotonic() < deadline, f"{len(missing)} of {len(acknowledged)} lost"
        await asyncio.sleep(0.2)


def test_a_service_killed_without_a_database_replays_its_spool(stack: Stack) -> None:
    """The spool outlives the process that filled it."""
    with client_of(stack) as client:
        whole_again(client, timeout_s=20)
        stack.pause_restart("postgres")
        stack.kill("postgres", signal.SIGKILL)
        answer = transcribe(client)
        assert answer.status_code == 200, answer.text
        identifier = answer.json()["id"]
        stack.kill("asr", signal.SIGKILL)
        stack.restart("postgres")
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + 30
        while not found:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            found = asyncio.run(
                rows(
                    stack.info.databases["asr"],
                    "SELECT id FROM asr_requests WHERE id = :id",
                    id=identifier,
                )
            )


def test_logs_hold_no_secret_and_no_content(stack: Stack) -> None:
    secrets = [admin_key(stack), "amiable himself", "This is a good day"]
    for log in Path(stack.info.log_dir).glob("*.log"):
        content = log.read_text(errors="replace")
        for secret in secrets:
            assert secret not in content, f"{log.name} holds {secret[:6]}…"
