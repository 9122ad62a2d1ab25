import asyncio
from collections.abc import Callable, Sequence

import pytest

from gateway.exceptions import UpstreamUnavailable
from gateway.upstream.pool import ReplicaPool, UpstreamMetrics
from gateway.upstream.protocol import (
    ConnectFailed,
    Header,
    UpstreamBroken,
    UpstreamRequest,
    UpstreamTimeout,
)
from gateway.upstream.replica import EJECTION_S, State
from shared.metrics import Metrics
from shared.problem import DeadlineExceeded
from tests.support.poll import eventually

REQUEST = UpstreamRequest("GET", "/", (), None)
A, B, C = "http://a", "http://b", "http://c"


class Response:
    headers: Sequence[Header] = ()

    def __init__(self, status: int) -> None:
        self.status = status
        self.closed = 0

    async def read(self) -> tuple[bytes, bool]:
        return b"", False

    def close(self) -> None:
        self.closed += 1


class Client:
    """Answers as told per replica: a status, or an error to raise."""

    def __init__(self, **answers: int | Exception) -> None:
        self.answers: dict[str, int | Exception] = {
            f"http://{name}": answer for name, answer in answers.items()
        }
        self.asked: list[str] = []
        self.requests: list[UpstreamRequest] = []

    async def send(self, base_url: str, request: UpstreamRequest) -> Response:
        self.asked.append(base_url)
        self.requests.append(request)
        answer = self.answers[base_url]
        if isinstance(answer, Exception):
            raise answer
        return Response(answer)

    async def close(self) -> None:
        return


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def healthy(_: str) -> None:
    return


async def unhealthy(_: str) -> None:
    raise ConnectionRefusedError


def make_pool(
    client: Client,
    *urls: str,
    probe: Callable[[str], asyncio.Future[None]] | object = healthy,
    clock: Clock | None = None,
    max_in_flight: int = 10,
) -> ReplicaPool:
    return ReplicaPool(
        "asr",
        urls,
        client,
        probe,  # type: ignore[arg-type]
        UpstreamMetrics(Metrics("test")),
        max_in_flight=max_in_flight,
        clock=clock or Clock(),
    )


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


async def test_the_less_loaded_of_two_is_chosen() -> None:
    client = Client(a=200, b=200)
    pool = make_pool(client, A, B)
    held = [await pool.send(REQUEST) for _ in range(6)]
    assert client.asked.count(A) == client.asked.count(B) == 3
    for response in held:
        response.close()
        response.close()
    assert [replica.in_flight for replica in pool.replicas] == [0, 0]


async def test_full_replicas_refuse_at_once() -> None:
    pool = make_pool(Client(a=200), A, max_in_flight=2)
    held = [await pool.send(REQUEST) for _ in range(2)]
    with pytest.raises(UpstreamUnavailable) as caught:
        await pool.send(REQUEST)
    assert caught.value.code == "upstream_saturated"
    held[0].close()
    await pool.send(REQUEST)


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


async def test_503_of_a_service_is_no_failure_of_its_replica() -> None:
    client = Client(a=503, b=200)
    pool = make_pool(client, A, B)
    for _ in range(40):
        (await pool.send(REQUEST)).close()
    assert client.asked.count(A) > 5
    assert all(replica.state is State.CLOSED for replica in pool.replicas)


async def test_no_replicas_is_unavailable() -> None:
    with pytest.raises(UpstreamUnavailable):
        await make_pool(Client()).send(REQUEST)


async def test_health_needs_one_replica() -> None:
    await make_pool(Client(), A, B).check()
    with pytest.raises(UpstreamUnavailable):
        await make_pool(Client(), A, B, probe=unhealthy).check()
    with pytest.raises(UpstreamUnavailable):
        await make_pool(Client()).check()
