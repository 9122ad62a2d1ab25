"""Which replica of a pool a request goes to, and when none has room."""

import pytest

from gateway.exceptions import UpstreamUnavailable
from gateway.models.routes import Priority
from gateway.upstream.protocol import ConnectFailed
from gateway.upstream.replica import replica_token
from tests.unit.gateway.pool_fakes import REQUEST, A, B, C, Client, Clock, make_pool


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


async def test_no_replicas_is_unavailable() -> None:
    with pytest.raises(UpstreamUnavailable):
        await make_pool(Client()).send(REQUEST)


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
