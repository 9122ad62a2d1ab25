"""Which requests a pool sends a second time, how often, and until when."""

import re

import pytest

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.budget import MIN_RETRIES
from gateway.upstream.protocol import (
    ConnectFailed,
    NotSent,
    UpstreamBroken,
    UpstreamRequest,
    UpstreamTimeout,
)
from gateway.upstream.replica import replica_token
from shared.metrics import Metrics
from shared.problem import DeadlineExceeded
from tests.unit.gateway.pool_fakes import REQUEST, A, B, C, Client, Clock, make_pool


async def test_a_failed_connection_is_tried_once_elsewhere() -> None:
    client = Client(a=ConnectFailed(), b=200, c=ConnectFailed())
    for _ in range(20):
        pool = make_pool(client, A, B)
        assert (await pool.send(REQUEST)).replica == B
    pool = make_pool(client, A, C)
    client.asked.clear()
    with pytest.raises(UpstreamUnavailable) as caught:
        await pool.send(REQUEST)
    assert sorted(client.asked) == [A, C]
    assert caught.value.headers["Retry-After"]


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        (UpstreamBroken(), UpstreamUnavailable, "upstream_broken"),
        (UpstreamTimeout(), DeadlineExceeded, "upstream_timeout"),
    ],
)
async def test_nothing_is_repeated_once_bytes_may_have_been_sent(
    error: Exception, expected: type[Exception], code: str
) -> None:
    client = Client(a=error, b=error)
    pool = make_pool(client, A, B)
    with pytest.raises(expected) as caught:
        await pool.send(REQUEST)
    assert len(client.asked) == 1
    assert caught.value.code == code  # type: ignore[attr-defined]


def replayable() -> UpstreamBroken:
    error = UpstreamBroken()
    error.replayable = True
    return error


IDEMPOTENT = UpstreamRequest("GET", "/", (), None, idempotent=True)


async def test_an_idempotent_request_that_broke_off_is_tried_once_elsewhere() -> None:
    client = Client(a=replayable(), b=200)
    for _ in range(20):
        assert (await make_pool(client, A, B).send(IDEMPOTENT)).replica == B
    client = Client(a=UpstreamBroken(), b=UpstreamBroken())  # Its body was taken already.
    with pytest.raises(UpstreamUnavailable):
        await make_pool(client, A, B).send(IDEMPOTENT)
    assert len(client.asked) == 1


async def test_what_was_not_sent_is_sent_again_even_to_the_only_replica() -> None:
    client = Client(a=[NotSent(), 200])
    assert (await make_pool(client, A).send(REQUEST)).status == 200
    client = Client(a=[NotSent(), ConnectFailed()])
    with pytest.raises(UpstreamUnavailable) as caught:
        await make_pool(client, A).send(REQUEST)
    assert caught.value.code == "upstream_broken"  # The first attempt may have begun.
    assert len(client.asked) == 2


async def test_retries_are_a_fifth_of_recent_requests() -> None:
    metrics, clock = Metrics("test"), Clock()
    client = Client(a=NotSent())
    pool = make_pool(client, A, metrics=metrics, clock=clock)
    for _ in range(100):
        with pytest.raises(UpstreamUnavailable):
            await pool.send(REQUEST)
        clock.now += 0.05
    assert 100 + 10 <= len(client.asked) <= 100 + 20
    refused = re.search(rb"retries_refused_total.* ([0-9.]+)", metrics.render())
    assert refused is not None
    assert len(client.asked) + float(refused[1]) == 200
    clock.now += 11.0
    client.asked.clear()
    for _ in range(12):
        with pytest.raises(UpstreamUnavailable):
            await pool.send(REQUEST)
    assert len(client.asked) == 12 + MIN_RETRIES  # However few requests there are.


async def test_each_attempt_says_how_long_it_may_take_and_no_retry_passes_the_deadline() -> None:
    clock = Clock()
    client = Client(a=200)
    request = REQUEST._replace(deadline=2.0)
    for _ in range(20):
        client = Client(a=ConnectFailed(), b=200)
        await make_pool(client, A, B, clock=clock).send(request)
        if len(client.asked) == 2:
            break
    assert client.lines == [
        f"x-sg-replica: {replica_token(url)}\r\nx-sg-timeout-ms: 2000\r\n".encode()
        for url in client.asked
    ]
    client = Client(a=NotSent())
    clock.now = 2.0
    with pytest.raises(DeadlineExceeded):
        await make_pool(client, A, clock=clock).send(request)
    assert client.asked == []
