"""Replicas that fail or shut down: when a pool leaves them alone, and when it does not."""

import asyncio
from contextlib import suppress

import pytest

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.protocol import ConnectFailed, UpstreamRequest, UpstreamTimeout
from gateway.upstream.replica import DRAINING_S, EJECTION_S, MAX_MISSES, SILENT_S, State
from shared.problem import DeadlineExceeded
from tests.support.poll import eventually
from tests.unit.gateway.pool_fakes import (
    REQUEST,
    A,
    B,
    Client,
    Clock,
    Response,
    make_pool,
    unhealthy,
)


async def test_a_single_dead_replica_is_not_asked_while_open_and_used_when_healthy_again() -> None:
    client = Client(a=ConnectFailed())
    alive = False

    async def probe(_: str) -> None:
        if not alive:
            raise ConnectionRefusedError

    pool = make_pool(client, A, probe=probe)
    pool.start()
    try:
        for _ in range(8):
            with pytest.raises(UpstreamUnavailable):
                await pool.send(REQUEST)
        assert len(client.asked) == 5
        client.answers[A] = 200
        alive = True
        await eventually(lambda: pool.replicas[0].state is State.CLOSED, timeout_s=2.0)
        assert (await pool.send(REQUEST)).status == 200
    finally:
        await pool.stop()


async def test_a_run_of_500s_ejects_one_of_two_for_a_while_and_one_request_probes_it() -> None:
    clock = Clock()
    client = Client(a=500, b=200)
    pool = make_pool(client, A, B, clock=clock)
    for _ in range(60):
        (await pool.send(REQUEST)).close()
    assert client.asked.count(A) == 5
    clock.now += EJECTION_S[1] + 1
    client.asked.clear()
    held = [await pool.send(REQUEST) for _ in range(4)]
    assert client.asked.count(A) == 1  # the probe failed again
    for response in held:
        response.close()
    clock.now += EJECTION_S[1] + 1
    client.answers[A] = 200
    for _ in range(20):
        (await pool.send(REQUEST)).close()
    assert pool.replicas[0].state is State.CLOSED


async def test_500s_never_take_the_last_replica_out() -> None:
    client = Client(a=500)
    pool = make_pool(client, A)
    for _ in range(20):
        response = await pool.send(REQUEST)
        assert response.status == 500
        response.close()
    assert len(client.asked) == 20


@pytest.mark.parametrize("others", [(), (B,)])
async def test_a_replica_whose_health_hangs_too_is_left_alone_until_it_answers(
    others: tuple[str, ...],
) -> None:
    client = Client(a=UpstreamTimeout(), b=200)
    hangs = True

    async def probe(url: str) -> None:
        if hangs and url == A:
            raise TimeoutError

    pool = make_pool(client, A, *others, probe=probe)
    replica = pool.replicas[0]
    pool.start()
    try:
        while client.asked.count(A) < 5:
            with suppress(DeadlineExceeded):
                (await pool.send(REQUEST)).close()
        await eventually(lambda: replica.unreachable, timeout_s=2.0)
        for _ in range(10):
            if others:
                (await pool.send(REQUEST)).close()
            else:
                with pytest.raises(UpstreamUnavailable):
                    await pool.send(REQUEST)
        assert client.asked.count(A) == 5
        client.answers[A] = 200
        hangs = False
        # The clock stands still: nothing else than its health brings it back.
        await eventually(lambda: replica.state is State.CLOSED, timeout_s=2.0)
    finally:
        await pool.stop()


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_replica_that_answers_nothing_for_long_is_asked_whether_it_hangs(
    *, hangs: bool
) -> None:
    clock, asked, begun = Clock(), 0, asyncio.Event()

    class Stuck(Client):
        async def send(
            self, base_url: str, request: UpstreamRequest, lines: bytes = b""
        ) -> Response:
            begun.set()
            await asyncio.Event().wait()
            return await super().send(base_url, request, lines)

    async def probe(_: str) -> None:
        nonlocal asked
        asked += 1
        if hangs:
            raise TimeoutError

    pool = make_pool(Stuck(a=200), A, probe=probe, clock=clock)
    pool.start()
    stuck = asyncio.create_task(pool.send(REQUEST))
    try:
        await begun.wait()
        clock.now += SILENT_S
        await eventually(lambda: asked >= MAX_MISSES + 1, timeout_s=5.0)
        assert pool.replicas[0].unreachable is hangs
        if hangs:
            with pytest.raises(UpstreamUnavailable):
                await pool.send(REQUEST)
    finally:
        stuck.cancel()
        await pool.stop()


async def test_timeouts_of_a_healthy_replica_never_take_the_last_one_out() -> None:
    client, asked = Client(a=UpstreamTimeout()), 0

    async def probe(_: str) -> None:
        nonlocal asked
        asked += 1

    pool = make_pool(client, A, probe=probe)
    pool.start()
    try:
        for _ in range(10):
            with pytest.raises(DeadlineExceeded):
                await pool.send(REQUEST)
        await eventually(lambda: asked >= 2, timeout_s=3.0)
        with pytest.raises(DeadlineExceeded):
            await pool.send(REQUEST)
    finally:
        await pool.stop()


async def test_503_of_a_service_is_no_failure_of_its_replica() -> None:
    client = Client(a=503, b=200)
    pool = make_pool(client, A, B)
    for _ in range(40):
        (await pool.send(REQUEST)).close()
    assert client.asked.count(A) > 5
    assert all(replica.state is State.CLOSED for replica in pool.replicas)


async def test_health_needs_one_replica() -> None:
    await make_pool(Client(), A, B).check()
    with pytest.raises(UpstreamUnavailable):
        await make_pool(Client(), A, B, probe=unhealthy).check()
    with pytest.raises(UpstreamUnavailable):
        await make_pool(Client()).check()


async def test_half_of_the_last_twenty_failing_is_enough_to_eject() -> None:
    clock = Clock()
    client = Client(a=[500, 200] * 100, b=200)
    pool = make_pool(client, A, B, clock=clock)
    for _ in range(200):
        (await pool.send(REQUEST)).close()
    assert pool.replicas[0].state is State.OPEN
    assert 19 <= client.asked.count(A) <= 20


@pytest.mark.parametrize(
    "answer",
    [
        Response(503, b'{"code":"shutting_down"}'),
        Response(503, b"", [(b"connection", b"close")]),
    ],
)
async def test_a_replica_that_shuts_down_is_left_alone_for_a_while(answer: Response) -> None:
    clock = Clock()
    body = answer.parts[0]
    client = Client(a=[answer, *[200] * 100], b=200)
    pool = make_pool(client, A, B, clock=clock)
    while True:
        response = await pool.send(REQUEST)
        response.close()
        if response.status == 503:
            break
    assert response.take() == (body, False)
    client.asked.clear()
    for _ in range(20):
        (await pool.send(REQUEST)).close()
    assert client.asked == [B] * 20
    clock.now += DRAINING_S + 1
    for _ in range(20):
        (await pool.send(REQUEST)).close()
    assert A in client.asked


async def test_all_replicas_failing_leaves_the_least_bad_in_use() -> None:
    client = Client(a=500, b=ConnectFailed())
    pool = make_pool(client, A, B, probe=unhealthy)
    answered = 0
    for _ in range(40):
        try:
            (await pool.send(REQUEST)).close()
            answered += 1
        except UpstreamUnavailable:
            continue
    assert client.asked.count(B) == 5
    assert answered >= 35
    assert client.asked[-1] == A
