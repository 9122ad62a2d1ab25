"""The pool with its real child processes: crashes, hangs, saturation, confinement."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from shared.audio.decode import DecodeLimits, DecodePool
from shared.audio.errors import AudioRefused, AudioTooLong
from shared.audio.formats import AudioFormat
from shared.audio.process import ChildProcess
from shared.metrics import Metrics
from shared.problem import Unavailable
from tests.support.decoding import decode_in_child as decode
from tests.support.poll import eventually

Make = Callable[..., Awaitable[DecodePool]]
SAMPLES = (np.sin(np.arange(16_000) / 15) * 9000).astype(np.int16)


def wav() -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, SAMPLES, 16_000, format="WAV")
    return buffer.getvalue()


@pytest_asyncio.fixture
async def make_pool() -> AsyncIterator[Make]:
    pools: list[DecodePool] = []

    async def make(size: int = 1, **limits: Any) -> DecodePool:
        pools.append(DecodePool(DecodeLimits(**limits), Metrics("test"), size=size))
        await pools[-1].start()
        return pools[-1]

    yield make
    for pool in pools:
        await pool.close()


def pids(pool: DecodePool) -> list[int]:
    return [child._process.pid for child in pool._children]


async def test_a_file_comes_back_as_pcm(make_pool: Make) -> None:
    pool = await make_pool()
    found = await decode(pool, wav())
    assert np.array_equal(found.pcm, SAMPLES)
    assert (found.audio_format, found.source_rate, found.channels) == (AudioFormat.WAV, 16_000, 1)


async def test_headerless_pcm_goes_by_what_is_declared(make_pool: Make) -> None:
    pool = await make_pool()
    found = await decode(pool, SAMPLES.tobytes(), declared=AudioFormat.PCM, rate=16_000)
    assert np.array_equal(found.pcm, SAMPLES)


async def test_a_large_file_passes_the_pipes(make_pool: Make) -> None:
    pool = await make_pool()
    samples = np.tile(SAMPLES, 500)
    found = await decode(pool, samples.tobytes(), declared=AudioFormat.PCM, rate=16_000)
    assert np.array_equal(found.pcm, samples)


async def test_refusals_are_the_senders_fault_and_counted(make_pool: Make) -> None:
    pool = await make_pool()
    with pytest.raises(AudioRefused) as caught:
        await decode(pool, b"no audio")
    assert (caught.value.status, caught.value.code) == (422, "not_audio")
    with pytest.raises(AudioTooLong):
        await decode(pool, bytes(601 * 16_000), declared=AudioFormat.PCM, rate=8_000)
    assert pool._failures.labels("not_audio")._value.get() == 1
    assert len(pids(pool)) == 1, "a refusal costs no process"


async def test_many_at_once(make_pool: Make) -> None:
    pool = await make_pool(size=2)
    found = await asyncio.gather(*(decode(pool, wav()) for _ in range(40)))
    assert all(np.array_equal(one.pcm, SAMPLES) for one in found)


async def test_a_dead_child_is_replaced_before_it_is_used(make_pool: Make) -> None:
    pool = await make_pool()
    before = pids(pool)
    os.kill(before[0], signal.SIGKILL)
    assert np.array_equal((await decode(pool, wav())).pcm, SAMPLES)
    assert pids(pool) != before


async def test_a_child_that_dies_at_work_costs_its_request_nothing(make_pool: Make) -> None:
    pool = await make_pool()
    pid = pids(pool)[0]
    os.kill(pid, signal.SIGSTOP)
    job = asyncio.create_task(decode(pool, wav()))
    await eventually(pool._idle.empty)
    os.kill(pid, signal.SIGKILL)
    assert np.array_equal((await job).pcm, SAMPLES)


async def test_a_file_that_kills_every_child_is_refused(
    make_pool: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await make_pool()
    before = pids(pool)
    killed: list[int] = []
    whole = ChildProcess.call

    async def deadly(child: ChildProcess, *request: Any) -> Any:
        killed.append(child._process.pid)
        child._process.kill()
        return await whole(child, *request)

    monkeypatch.setattr(ChildProcess, "call", deadly)
    with pytest.raises(AudioRefused) as caught:
        await decode(pool, wav())
    assert (caught.value.status, caught.value.code) == (422, "decode_failed")
    assert len(set(killed)) == 2, "a second process got a try, a third did not"
    assert killed[0] == before[0]
    monkeypatch.undo()
    assert np.array_equal((await decode(pool, wav())).pcm, SAMPLES)


async def test_a_hanging_child_is_killed(make_pool: Make) -> None:
    pool = await make_pool(timeout_s=0.3)
    before = pids(pool)
    os.kill(before[0], signal.SIGSTOP)
    with pytest.raises(AudioRefused) as caught:
        await decode(pool, wav())
    assert (caught.value.status, caught.value.code) == (422, "decode_timeout")
    await eventually(lambda: bool(pids(pool)) and pids(pool) != before)
    assert not running(before[0])
    assert np.array_equal((await decode(pool, wav())).pcm, SAMPLES)


async def test_saturation_is_said_and_ends(make_pool: Make) -> None:
    pool = await make_pool(max_waiting=1)
    pid = pids(pool)[0]
    os.kill(pid, signal.SIGSTOP)
    at_work = asyncio.create_task(decode(pool, wav()))
    await eventually(pool._idle.empty)
    waiting = asyncio.create_task(decode(pool, wav()))
    await eventually(lambda: pool._waiting == 1)
    with pytest.raises(Unavailable) as caught:
        await decode(pool, wav())
    assert (caught.value.status, caught.value.code) == (503, "decoder_saturated")
    assert caught.value.headers["Retry-After"]
    os.kill(pid, signal.SIGCONT)
    for job in (at_work, waiting):
        assert np.array_equal((await job).pcm, SAMPLES)


async def test_a_wait_is_bounded(make_pool: Make) -> None:
    pool = await make_pool(max_wait_s=0.1)
    pid = pids(pool)[0]
    os.kill(pid, signal.SIGSTOP)
    at_work = asyncio.create_task(decode(pool, wav()))
    await eventually(pool._idle.empty)
    with pytest.raises(Unavailable):
        await decode(pool, wav())
    os.kill(pid, signal.SIGCONT)
    await at_work


async def test_a_sender_that_leaves_costs_no_child(make_pool: Make) -> None:
    pool = await make_pool()
    before = pids(pool)
    os.kill(before[0], signal.SIGSTOP)
    job = asyncio.create_task(decode(pool, wav()))
    await eventually(pool._idle.empty)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    os.kill(before[0], signal.SIGCONT)
    assert np.array_equal((await decode(pool, wav())).pcm, SAMPLES)
    assert pids(pool) == before


async def test_a_child_is_replaced_after_its_uses(make_pool: Make) -> None:
    pool = await make_pool(max_uses=2)
    before = pids(pool)
    for _ in range(3):
        await decode(pool, wav())
    assert pids(pool) != before


async def test_health(make_pool: Make) -> None:
    pool = await make_pool()
    await pool.check()
    await pool.close()
    with pytest.raises(Unavailable):
        await pool.check()


async def test_a_child_is_confined(make_pool: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECHGATE_KEY_PEPPER_FILE", "a secret's place")
    with io.BytesIO(), os.fdopen(os.open(__file__, os.O_RDONLY), "rb") as held:
        os.set_inheritable(held.fileno(), True)  # noqa: FBT003
        pool = await make_pool(memory_bytes=1 << 30)
        process = Path("/proc") / str(pids(pool)[0])
        assert b"SPEECHGATE" not in (process / "environ").read_bytes()
        targets = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
        assert __file__ not in targets
        assert all(target.startswith(("pipe:", "socket:", "/dev/")) for target in targets)
        # The socket, and two standard streams that lead nowhere.
        assert len(list((process / "fd").iterdir())) <= 3
    limits = (process / "limits").read_text()
    rows = {line[:26].strip(): line[26:].split() for line in limits.splitlines()[1:]}
    assert rows["Max address space"][:2] == [str(1 << 30)] * 2
    largest = str(DecodeLimits().bounds.track_bytes * 8)
    assert rows["Max file size"][:2] == [largest] * 2
    assert rows["Max core file size"][:2] == ["0", "0"]
    assert int(rows["Max open files"][1]) <= 16
    assert "NoNewPrivs:\t1" in (process / "status").read_text()


def test_children_end_with_their_parent() -> None:
    program = textwrap.dedent(
        """
        import asyncio
        from shared.audio.decode import DecodeLimits, DecodePool
        from shared.metrics import Metrics

        async def main():
            pool = DecodePool(DecodeLimits(), Metrics("test"), size=2)
            await pool.start()
            print(*(child._process.pid for child in pool._children), flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
        """
    )
    root = Path(__file__).parents[4]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        parent.kill()
        parent.wait()
        asyncio.run(eventually(lambda: not any(map(running, children))))


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
