"""SIGTERM: what is in flight is answered."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Stack, StackOptions
from tests.e2e.conftest import admin_key
from tests.support.recordings import SAMPLE_RATE, recordings, write_wav

IN_FLIGHT = 50


@pytest.mark.parametrize("name", ["gateway", "asr"])
async def test_all_requests_in_flight_are_answered(tmp_path: Path, name: str) -> None:
    """50 recognitions are under way when the process is told to end."""
    # A second each: all fit into the default grace time, also on a slow machine.
    speech = write_wav(tmp_path / "a.wav", recordings()[4].samples()[:SAMPLE_RATE]).read_bytes()
    stack = Stack(StackOptions(kind="embedded", run_dir=tmp_path))
    await asyncio.to_thread(stack.start)
    try:
        headers = {"Authorization": f"Bearer {admin_key(stack)}"}
        limits = httpx.Limits(max_connections=IN_FLIGHT)
        async with httpx.AsyncClient(
            base_url=stack.info.gateway_url, headers=headers, timeout=120, limits=limits
        ) as client:

            async def one() -> int:
                answer = await client.post(
                    "/api/v1/asr/transcribe", files={"file": ("a.wav", speech)}
                )
                return answer.status_code

            requests = [asyncio.create_task(one()) for _ in range(IN_FLIGHT)]
            pid = stack.info.pids[name]
            service = stack.info.services["asr"][0]
            await _until_in_flight(service, IN_FLIGHT)
            await asyncio.to_thread(stack.pause_restart, name)
            os.kill(pid, signal.SIGTERM)
            statuses = await asyncio.gather(*requests)
        assert statuses == [200] * IN_FLIGHT
    finally:
        await asyncio.to_thread(stack.stop)


async def _until_in_flight(service: str, count: int) -> None:
    """Wait until the service is at work on so many requests."""
    async with asyncio.timeout(30), httpx.AsyncClient() as probe:
        while True:
            text = (await probe.get(f"{service}/metrics")).text
            line = next(
                line
                for line in text.splitlines()
                if line.startswith("speechgate_http_requests_in_flight{")
            )
            if float(line.rsplit(" ", 1)[1]) > count:  # The probe itself is one.
                return
            await asyncio.sleep(0.02)
