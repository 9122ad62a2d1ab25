import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.exceptions import UpstreamUnavailable
from gateway.models.routes import Priority
from gateway.upstream.budget import MIN_RETRIES
from gateway.upstream.pool import ReplicaPool, UpstreamMetrics
from gateway.upstream.protocol import (
    ConnectFailed,
    Header,
    NotSent,
    UpstreamBroken,
    UpstreamRequest,
    UpstreamTimeout,
)
from gateway.upstream.replica import DRAINING_S, EJECTION_S, State, replica_token
from shared.metrics import Metrics
from shared.problem import DeadlineExceeded
from tests.support.poll import eventually

REQUEST = UpstreamRequest("GET", "/", (), None)
A, B, C = "http://a", "http://b", "http://c"


class Response:
    def __init__(
        self, status: int, body: bytes = b"", headers: Sequence[Header] = (), *, more: bool = False
    ) -> None:
        self.status = status
        self.headers = headers
        self.parts = [body]
        self.more = more
        self.closed = 0

    def take(self) -> tuple[bytes, bool]:
        return (self.parts.pop() if self.parts else b""), self.more

    async def read(self) -> tuple[bytes, bool]:
        return self.take()

    def close(self) -> None:
        self.closed += 1


Told = int | Exception | Response


class Client:
    """Answers as told per replica: a status, or an error to raise; a list is used up in turn."""

    def __init__(self, **answers: "Told | list[Told]") -> None:
        self.answers: dict[str, Told | list[Told]] = {
            f"http://{name}": answer for name, answer in answers.items()
        }
        self.asked: list[str] = []
        self.requests: list[UpstreamRequest] = []
        self.lines: list[bytes] = []

    async def send(self, base_url: str, request: UpstreamRequest, lines: bytes = b"") -> Response:
        self.asked.append(base_url)
        self.requests.append(request)
        self.lines.append(lines)
        answer = self.answers[base_url]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Response) else Response(answer)

    upgrade = send

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
    metrics: Metrics | None = None,
    **options: Any,
) -> ReplicaPool:
    return ReplicaPool(
        "asr",
        urls,
        client,
        probe,  # type: ignore[arg-type]
        UpstreamMetrics(metrics or Metrics("test")),
        max_in_flight=max_in_flight,
        clock=clock or Clock(),
        **options,
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


async def test_a_session_goes_to_its_replica_or_nowhere() -> None:
    client = Client(a=200, b=200)
    pool = make_pool(client, A, B)
    for url in (A, B, A, B):
        request = REQUEST._replace(affinity=replica_token(url))
        assert (await pool.send(request)).replica == url
    client.asked.clear()
    with pytest.raises(UpstreamUnavailable) as caught:
        await pool.send(REQUEST._replace(affinity=replica_token(C)))
    assert (caught.value.code, client.asked) == ("session_lost", [])
    client = Client(a=ConnectFailed(), b=200)
    pool = make_pool(client, A, B)
    for _ in range(6):
        with pytest.raises(UpstreamUnavailable) as caught:
            await pool.send(REQUEST._replace(affinity=replica_token(A)))
    assert caught.value.code == "session_lost"
    assert client.asked == [A] * 5


async def test_a_tenth_of_the_places_is_for_live_traffic() -> None:
    pool = make_pool(Client(a=200, b=200), A, B, max_in_flight=100, max_in_service=20)
    for priority in (Priority.BATCH, Priority.INTERACTIVE) * 9:
        await pool.send(REQUEST, priority)
    for priority in (Priority.BATCH, Priority.INTERACTIVE):
        with pytest.raises(UpstreamUnavailable) as caught:
            await pool.send(REQUEST, priority)
        assert caught.value.code == "upstream_saturated"
    await pool.send(REQUEST, Priority.LIVE)
    held = await pool.send(REQUEST, Priority.LIVE)
    with pytest.raises(UpstreamUnavailable):
        await pool.send(REQUEST, Priority.LIVE)
    held.close()
    await pool.send(REQUEST, Priority.LIVE)


async def test_no_request_is_refused_while_any_replica_has_room() -> None:
    pool = make_pool(Client(a=200, b=200, c=200), A, B, C, max_in_flight=10)
    for _ in range(27):
        await pool.send(REQUEST)
    with pytest.raises(UpstreamUnavailable):
        await pool.send(REQUEST)
    assert [replica.in_flight for replica in pool.replicas] == [9, 9, 9]


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


async def test_new_replicas_get_their_share_slowly_and_removed_ones_nothing_more() -> None:
    clock = Clock()
    client = Client(a=200, b=200, c=200)
    pool = make_pool(client, A, C, clock=clock, slow_start_s=10.0)
    held = await pool.send(REQUEST._replace(affinity=replica_token(C)))
    pool._replicas.apply([A, B])
    client.asked.clear()

    async def share() -> float:
        client.asked.clear()
        for _ in range(400):
            (await pool.send(REQUEST)).close()
        return client.asked.count(B) / 400

    assert 0.0 < await share() < 0.15  # 0.05: a tenth of a half
    clock.now += 5.0
    assert 0.15 < await share() < 0.4
    clock.now += 5.1
    assert 0.4 < await share() < 0.6
    assert C not in client.asked
    assert pool._replicas.in_flight == 1
    held.close()
    assert pool._replicas.in_flight == 0


async def test_the_first_replicas_need_no_slow_start() -> None:
    client = Client(a=200, b=200)
    pool = make_pool(client, A, B)
    for _ in range(100):
        (await pool.send(REQUEST)).close()
    assert 25 < client.asked.count(A) < 75


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
