"""Live recognition through the gateway, on two replicas of which one is lost."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import socketio
from numpy.typing import NDArray

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key
from tests.support.poll import eventually
from tests.support.recordings import SAMPLE_RATE, recordings
from tests.support.rolling import Roller
from tests.support.streaming import STREAM, Heard, encoded, recite, recite_to_the_end

pytestmark = [
    pytest.mark.breaks,
    pytest.mark.parametrize("stack", ["embedded"], indirect=True),
]


@pytest.fixture(scope="module")
def two(stack: Stack) -> Iterator[Roller]:
    """The stack with a second replica of the recognition service."""
    roller = Roller(stack, Path(stack.info.run_dir))
    added = asyncio.run(roller.add("asr"))
    yield roller
    asyncio.run(roller.remove("asr", added))


@pytest.fixture(scope="module")
def story() -> NDArray[np.int16]:
    pause = np.zeros(SAMPLE_RATE, np.int16)
    one, two = (one.samples() for one in recordings() if one.name in ("0880", "0930"))
    return np.concatenate([one, pause, two, pause])


def url(stack: Stack, path: str = STREAM) -> str:
    return stack.info.gateway_url.replace("http", "ws", 1) + path


def headers(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin_key(stack)}"}


@pytest.fixture(scope="module")
def whole(stack: Stack, story: NDArray[np.int16]) -> Heard:
    heard = asyncio.run(
        recite(url(stack, "/ws/audio"), headers(stack), encoded(story), interim=False)
    )
    assert len(heard.finals) == 2
    assert heard.close_code == 1000
    return heard


async def replica_with_stream(two: Roller) -> str:
    """The name of the replica that holds the open stream."""
    one, other = two.names["asr"]
    async with httpx.AsyncClient() as client:
        for name in (one, other):
            text = (await client.get(f"{two.stack.address(name)}/metrics")).text
            if any(
                line.startswith("speechgate_asr_streams_open{") and not line.endswith(" 0.0")
                for line in text.splitlines()
            ):
                return name
    return ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_lost_replica_loses_and_doubles_no_word(
    two: Roller, story: NDArray[np.int16], whole: Heard, number: signal.Signals
) -> None:
    stack, data = two.stack, encoded(story)
    heard = Heard()
    streaming = asyncio.create_task(
        recite(url(stack), headers(stack), data, heard=heard, frame_s=0.08, interim=False)
    )
    await eventually(lambda: len(heard.finals) == 1, timeout_s=30)
    name = await replica_with_stream(two)
    os.kill(stack.info.pids[name], number)
    await streaming
    if number == signal.SIGTERM:
        assert heard.errors == ["shutting_down"]
        assert heard.close_code == 1012
    assert not heard.of("done")
    rest = await recite_to_the_end(url(stack), headers(stack), data, heard=heard, interim=False)
    assert rest.finals == whole.finals
    assert rest.of("done")[0]["duration"] == whole.of("done")[0]["duration"]
    await asyncio.to_thread(stack.restart, name)


async def test_socket_io_through_the_gateway(
    stack: Stack, whole: Heard, story: NDArray[np.int16]
) -> None:
    told: list[dict[str, Any]] = []
    ready, ended = asyncio.Event(), asyncio.Event()
    client = socketio.AsyncClient(reconnection=False)
    client.on("response", told.append)
    client.on("ready", lambda *_: ready.set())
    client.on("terminate", lambda *_: ended.set())
    place = f"{stack.info.gateway_url}?apiKey={admin_key(stack)}&language=en&samplingRate=16000"
    await client.connect(place, transports=["polling"], wait_timeout=10)
    async with asyncio.timeout(60):
        await client.emit("start", {})
        await ready.wait()
        data = encoded(story)
        for first in range(0, len(data), 32_000):
            await client.emit("data", (data[first : first + 32_000], True, False))
        await client.emit("data", (None, True, True))
        await ended.wait()
    await client.disconnect()
    finals = [one["transcript"] for one in told if one["isFinal"]]
    assert finals == [final["text"] for final in whole.finals]
