"""Requests like the last one of their connection: quicker, and otherwise the same."""

import asyncio
import re
import signal
from collections.abc import Iterator

import pytest

from gateway.flags.names import kill_switch
from tests.integration.gateway.conftest import make_installation
from tests.integration.gateway.harness import ASR, QUOTAS
from tests.integration.gateway.scripted_upstream import OK, Script, scripted_upstream
from tests.integration.gateway.shortcut_world import VARYING, World
from tests.support.flags import feature, write_flags
from tests.support.poll import eventually

_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
_SLOWLY = Script((*(OK[n : n + 1] for n in range(40)), OK[40:]))  # Nearly a second.


def answer(status: bytes, *fields: bytes, body: bytes = b"{}") -> bytes:
    lines = (b"HTTP/1.1 " + status, *fields, b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


SHORT = {
    "plain": Script((OK,)),
    "with fields": Script((answer(b"200 OK", b"Server: x", b"X-Own: 1", b"x-sg-inside: 1"),)),
    "a model": Script((answer(b"200 OK", b"x-sg-model-used: candidate"),)),
    "empty": Script((answer(b"201 Created", body=b""),)),
    "refused": Script((answer(b"422 Unprocessable Entity", b"retry-after: 7"),)),
    "set-cookie": Script((answer(b"200 OK", b"set-cookie: a=1", b"set-cookie: b=2"),)),
}
LONG = {
    "head, then body": Script((OK[:-2], OK[-2:])),
    "byte by byte": Script((OK[:9], OK[9:10], OK[10:])),
    "chunked": Script((_CHUNKED,)),
    "until the end": Script((b"HTTP/1.1 200 OK\r\n\r\n{}",), close=True),
    "closing": Script((answer(b"200 OK", b"connection: close"),), close=True),
    "named hop": Script((answer(b"200 OK", b"connection: x-own", b"x-own: 1"),)),
    "no content": Script((b"HTTP/1.1 204 No Content\r\n\r\n",)),
    "continue first": Script((b"HTTP/1.1 100 Continue\r\n\r\n" + OK,)),
    "own policy": Script((answer(b"200 OK", b"cache-control: max-age=5"),)),
    "an error": Script((answer(b"500 Internal Server Error"),)),
    "unavailable": Script((answer(b"503 Service Unavailable", b"retry-after: 1"),)),
    "doubts the gateway": Script((answer(b"401 Unauthorized"),)),
    "too much": Script((OK + b"more",)),
    "two lengths": Script((answer(b"200 OK", b"content-length: 3"),)),
    "length and chunks": Script((answer(b"200 OK", b"transfer-encoding: chunked"),)),
    "bare line end": Script((answer(b"200 OK", b"x-own: a\nset-cookie: b"),)),
    "no HTTP": Script((b"hello\r\n\r\n",)),
    "half": Script((OK[:-1],), close=True),
    "half a head": Script((OK[:20],), close=True),
    "hangs": Script((), hang=True),
    "hangs within": Script((OK[:-1],), hang=True),
}


@pytest.fixture(scope="module", params=["embedded", "full"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp(f"shortcuts-{request.param}")
    installation = make_installation(request.param, folder, request, "gateway_shortcuts")
    flags = folder / "flags.json"
    write_flags(flags, feature(kill_switch(ASR), on=False))
    with scripted_upstream() as upstream:
        gateway = installation.gateway(
            asr_urls=upstream.url,
            tts_urls=upstream.url,
            nlp_urls=upstream.url,
            upstream_timeout_s="1",
            upstream_slow_timeout_s="1",
            flags_file=str(flags),
        )
        gateway.start()
        yield World(installation, gateway, upstream, flags)
        assert gateway.stop() in (0, -15)


@pytest.mark.parametrize("name", [*SHORT, *LONG])
async def test_every_answer_of_a_service_comes_out_as_without_a_short_cut(
    world: World, name: str
) -> None:
    script = SHORT.get(name) or LONG[name]
    await world.calm()
    async with world.client() as client:
        world.upstream.scripts = [script] * 2  # It may be asked again.
        expected = await client.ask()
    await world.calm()
    async with world.client() as client:
        assert (await client.ask()).status == 200
        world.upstream.scripts = [script] * 2
        before = await world.repeated()
        assert await client.ask() == expected
        answered, handed_over = await world.repeated()
    assert (answered - before[0], handed_over - before[1]) == ((1, 0) if name in SHORT else (0, 1))
    first, second = world.upstream.received[:2]
    assert sorted(map(_masked, first.split(b"\r\n"))) == sorted(map(_masked, second.split(b"\r\n")))
    assert await world.count("speechgate_proxied_requests_in_flight") == 0
    assert await world.count("speechgate_upstream_in_flight") == 0


def _masked(line: bytes) -> bytes:
    return re.sub(rb"(?<=timeout-ms: )\d+", b"*", VARYING.sub(b"*", line))


async def test_each_request_has_its_own_body_ids_and_count(world: World) -> None:
    await world.calm()
    async with world.client() as client:
        before = await world.repeated()
        for length in (1, 5, 20_000, 0, 7):
            assert (await client.ask(b"x" * length)).status == 200
        assert (await world.repeated())[0] - before[0] == 4
    bodies = [len(one.partition(b"\r\n\r\n")[2]) for one in world.upstream.received]
    assert bodies == [1, 5, 20_000, 0, 7]
    ids = re.findall(rb"x-request-id: (\w+)", b"".join(world.upstream.received))
    traces = re.findall(rb"traceparent: 00-(\w+)-(\w+)-00", b"".join(world.upstream.received))
    assert len(set(ids)) == len(set(traces)) == 5


async def test_pipelined_and_split_requests_are_answered_in_turn(world: World) -> None:
    await world.calm()
    async with world.client() as client:
        await client.ask()
        one = client.request(b"1")
        world.upstream.scripts = [Script((answer(b"200 OK", body=b"a" * n),)) for n in (1, 2, 3)]
        await client.send(one + client.request(b"22") + client.request(b"333")[:-1])
        await client.send(b"3")
        assert [(await client.read()).body for _ in range(3)] == [b"a", b"aa", b"aaa"]
        await client.send(one)
        await eventually(lambda: len(world.upstream.received) >= 5)
        await client.send(one[:30], one[30:])
        assert [(await client.read()).status for _ in range(2)] == [200, 200]
    assert [one.partition(b"\r\n\r\n")[2] for one in world.upstream.received][1:4] == [
        b"1",
        b"22",
        b"333",
    ]


async def test_what_is_behind_a_request_under_way_waits_for_its_answer(world: World) -> None:
    await world.calm()
    async with world.client() as client:
        await client.ask()
        world.upstream.scripts = [Script((OK[:9], OK[9:])), Script((answer(b"201 Created"),))]
        await client.send(client.request())
        await client.send(client.request(b"x"))
        assert [(await client.read()).status for _ in range(2)] == [200, 201]


async def test_a_known_head_is_known_on_another_connection_of_its_client(world: World) -> None:
    await world.calm()
    stored, key = await world.installation.create_key()
    async with world.client(key) as first, world.client(key) as second:
        expected = await first.ask()
        before = (await world.repeated())[0]
        assert await second.ask(b"more") == expected
        assert (await world.repeated())[0] == before + 1
    async with world.client(key, "127.0.0.2") as elsewhere:
        assert await elsewhere.ask() == expected
        assert (await world.repeated())[0] == before + 1
    addresses = re.findall(rb"x-forwarded-for: (\S+)", b"".join(world.upstream.received))
    assert addresses == [b"127.0.0.1", b"127.0.0.1", b"127.0.0.2"]
    await world.installation.cli("keys", "revoke", stored.id)

    async def refused() -> bool:
        async with world.client(key) as client:
            return (await client.ask()).status == 401

    await eventually(refused, timeout_s=3)


@pytest.mark.parametrize("lines", [("X-Other: 1",), ("X-Request-ID: mine",), ("Expect: x",)])
async def test_another_head_is_read_as_ever(world: World, lines: tuple[str, ...]) -> None:
    await world.calm()
    async with world.client() as client:
        await client.ask()
        before = await world.repeated()
        for _ in range(8):
            assert (await client.ask(b"hello", *lines)).status == 200
            assert (await client.ask()).status == 200
        assert await world.repeated() == before


async def test_a_client_that_leaves_is_cancelled_down_to_the_service(world: World) -> None:
    await world.calm()
    _, key = await world.installation.create_key(
        **dict.fromkeys(QUOTAS, 1_000_000), max_concurrent=1
    )
    async with world.client(key) as client:
        assert (await client.ask()).status == 200
        connections = world.upstream.connections
        world.upstream.scripts = [Script((), hang=True)]
        await client.send(client.request())
        await eventually(lambda: len(world.upstream.received) == 2)
    await eventually(lambda: world.upstream.connections < connections)
    left = await world.count("speechgate_http_requests_total", route=ASR, status="499")
    assert left >= 1

    async def free() -> bool:
        async with world.client(key) as client:
            return (await client.ask()).status == 200

    await eventually(free)
    assert await world.count("speechgate_proxied_requests_in_flight") == 0
    assert await world.count("speechgate_upstream_in_flight") == 0


async def test_limits_caps_and_revocation_hold_as_ever(world: World) -> None:
    await world.calm()
    stored, key = await world.installation.create_key(
        per_minute=5, per_hour=1_000, per_day=1_000, max_concurrent=1
    )
    async with world.client(key) as client, world.client(key) as other:
        assert [(await client.ask()).status for _ in range(2)] == [200, 200]
        assert (await other.ask()).status == 200
        world.upstream.scripts = [_SLOWLY]
        await client.send(client.request())
        await eventually(lambda: len(world.upstream.received) == 4)
        refused = await other.ask()
        assert (refused.status, b"concurrency" in refused.body) == (429, True)
        assert (await client.read()).status == 200
        assert [(await client.ask()).status for _ in range(3)] == [200, 429, 429]
        assert len(world.upstream.received) == 5
    stored, key = await world.installation.create_key()
    async with world.client(key) as client:
        assert (await client.ask()).status == 200
        await world.installation.cli("keys", "revoke", stored.id)

        async def refused_now() -> bool:
            return (await client.ask()).status == 401

        await eventually(refused_now, timeout_s=3)


async def test_a_route_that_is_closed_is_closed_for_repeated_requests(world: World) -> None:
    await world.calm()
    async with world.client() as client:
        assert [(await client.ask()).status for _ in range(2)] == [200, 200]
        write_flags(world.flags, feature(kill_switch(ASR), on=True))
        try:

            async def closed() -> bool:
                return (await client.ask()).status == 503

            await eventually(closed, timeout_s=15)
        finally:
            write_flags(world.flags, feature(kill_switch(ASR), on=False))

        async def opened() -> bool:
            return (await client.ask()).status == 200

        await eventually(opened, timeout_s=15)


async def test_a_process_that_ends_answers_what_is_under_way(world: World) -> None:
    gateway = world.installation.gateway(
        asr_urls=world.upstream.url, tts_urls=world.upstream.url, nlp_urls=world.upstream.url
    )
    gateway.start()
    await world.calm()
    mine = World(world.installation, gateway, world.upstream, world.flags)
    async with mine.client() as idle, mine.client() as client:
        for each in (idle, client):
            assert [(await each.ask()).status for _ in range(2)] == [200, 200]
        world.upstream.scripts = [_SLOWLY]
        await client.send(client.request())
        await eventually(lambda: len(world.upstream.received) == 5)
        stopping = asyncio.create_task(asyncio.to_thread(gateway.stop, signal.SIGTERM))
        found = await client.read()
        assert (found.status, dict(found.headers)[b"connection"]) == (200, b"close")
        assert await idle.reader.read() == b""
        assert await stopping in (0, -15)
