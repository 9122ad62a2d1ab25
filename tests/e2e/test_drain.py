"""SIGTERM: what is in flight is answered."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key
from tests.support.poll import eventually
from tests.support.recordings import SAMPLE_RATE, recordings, write_wav
from tests.support.rolling import Roller

pytestmark = [
    pytest.mark.breaks,
    pytest.mark.parametrize("stack", ["embedded"], indirect=True),
]

IN_FLIGHT = 50


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """A process that does nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["gateway", "asr"])
async def test_all_requests_in_flight_are_answered(
    stack: Stack, roller: Roller, tmp_path: Path, kind: str
) -> None:
    """50 recognitions are under way when the only process of its kind is told to end."""
    (name,) = roller.names[kind]
    # Half a second each: all fit into the default grace time, also on a slow machine.
    samples = recordings()[4].samples()[SAMPLE_RATE // 2 : SAMPLE_RATE]
    speech = write_wav(tmp_path / "a.wav", samples).read_bytes()
    headers = {"Authorization": f"Bearer {admin_key(stack)}"}
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    async with (
        httpx.AsyncClient() as probe,
        httpx.AsyncClient(
            base_url=stack.info.gateway_url, headers=headers, timeout=120, limits=limits
        ) as client,
    ):

        async def one() -> int:
            files = {"file": ("a.wav", speech)}
            return (await client.post("/api/v1/asr/transcribe", files=files)).status_code

        async def all_arrived() -> bool:
            # The probe itself is one more.
            return await _in_flight(probe, stack.info.services["asr"][0]) > IN_FLIGHT

        # None is answered before all have come.
        with paused(stack.info.pids["triton"]):
            requests = [asyncio.create_task(one()) for _ in range(IN_FLIGHT)]
            await eventually(all_arrived, timeout_s=30)
            await asyncio.to_thread(stack.pause_restart, name)
            os.kill(stack.info.pids[name], signal.SIGTERM)
        statuses = await asyncio.gather(*requests)
    assert statuses == [200] * IN_FLIGHT
    await asyncio.to_thread(stack.restart, name)


async def _in_flight(probe: httpx.AsyncClient, service: str) -> float:
    """Requests that the service is at work on, by its own metric."""
    text = (await probe.get(f"{service}/metrics")).text
    prefix = "speechgate_http_requests_in_flight{"
    line = next(line for line in text.splitlines() if line.startswith(prefix))
    return float(line.rsplit(" ", 1)[1])
