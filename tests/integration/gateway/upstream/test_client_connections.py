"""Connections of the client that fail, end, take too long, or are not to be trusted."""

import asyncio
import ssl
from pathlib import Path

import pytest

from gateway.upstream.lean_client import LeanClient
from gateway.upstream.protocol import ConnectFailed, NotSent, UpstreamBroken, UpstreamTimeout
from tests.integration.gateway.harness import Program, free_port
from tests.integration.gateway.upstream.client_calls import HEAD, OK, ask, stream
from tests.integration.gateway.upstream.raw_server import Body, Script, receive, request, serving
from tests.support.poll import eventually


async def test_refused_and_unknown_hosts_are_connect_failures(client: LeanClient) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "http://no.such.host.invalid:1"):
        with pytest.raises(ConnectFailed) as caught:
            await ask(client, url)
        assert not isinstance(caught.value, NotSent)


async def test_a_kept_connection_that_ends_unanswered_was_not_sent(client: LeanClient) -> None:
    served = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await receive(reader)
        writer.write(OK)
        await receive(reader)

    async with serving(handle) as url:
        with_body = request("POST", body=Body(b"x"))
        assert await ask(client, url, with_body) == b"ok"
        with pytest.raises(NotSent):
            await ask(client, url, with_body)
        assert await ask(client, url) == b"ok"
        streamed = request("POST", body=Body(stream(b"x", b"y")))
        with pytest.raises(UpstreamBroken) as caught:
            await ask(client, url, streamed)  # Its first part is gone.
        assert not caught.value.replayable
    assert served == 2


async def test_a_new_connection_that_ends_unanswered_is_broken(client: LeanClient) -> None:
    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await receive(reader)

    async with serving(handle) as url:
        with pytest.raises(UpstreamBroken) as caught:
            await ask(client, url)
        assert caught.value.replayable


async def test_idle_connections_are_closed_in_time(upstream: Program) -> None:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=5.0, keepalive_s=0.3, max_idle=3)
    await asyncio.gather(*(ask(client, upstream.url) for _ in range(8)))
    origin = client._origins[upstream.url]
    assert len(origin.idle) <= 3
    await eventually(lambda: origin.opened == 0, timeout_s=2.0)
    assert await ask(client, upstream.url)
    await client.close()


@pytest.mark.parametrize("given", ["deadline", "total"])
async def test_no_answer_in_time(given: str) -> None:
    client = LeanClient(connect_timeout_s=1.0, total_timeout_s=0.3)
    loop = asyncio.get_running_loop()

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await receive(reader)
        await asyncio.sleep(5)

    async with serving(handle) as url:
        started = loop.time()
        with pytest.raises(UpstreamTimeout):
            await ask(client, url, request(deadline=started + 0.3 if given == "deadline" else None))
        assert 0.29 <= loop.time() - started <= 1.0
        await client.close()


async def test_half_an_answer_in_time_is_too_late(client: LeanClient) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receive(reader)
        writer.write(HEAD + b"content-length: 4\r\n\r\nab")
        await asyncio.sleep(5)

    async with serving(handle) as url:
        deadline = asyncio.get_running_loop().time() + 0.3
        answer = await client.send(url, request(deadline=deadline))
        assert await answer.read() == (b"ab", True)
        with pytest.raises(UpstreamTimeout):
            await answer.read()


async def test_https_works_with_a_trusted_certificate_only(
    client: LeanClient, certificate: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    script = Script(OK)
    server = await asyncio.start_server(script, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    trusting = LeanClient(
        connect_timeout_s=2.0,
        total_timeout_s=5.0,
        context=ssl.create_default_context(cafile=str(certificate)),
    )
    try:
        for _ in range(3):
            assert await ask(trusting, url, request("POST", body=Body(bytes(50_000)))) == b"ok"
        assert script.connections == 1
        with pytest.raises(ConnectFailed):
            await ask(client, url)
    finally:
        await trusting.close()
        server.close()
