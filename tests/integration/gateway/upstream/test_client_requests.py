"""The client of the services against uvicorn, and what it puts on the wire."""

import asyncio
import hashlib
import json
import os

import pytest

from gateway.upstream.connection import HIGH_WATER_BYTES
from gateway.upstream.lean_client import LeanClient
from gateway.upstream.protocol import UpstreamRequest
from tests.integration.gateway.harness import Program
from tests.integration.gateway.upstream.client_calls import OK, ask, idle, stream, whole
from tests.integration.gateway.upstream.raw_server import Body, Script, request, serving
from tests.support.poll import eventually


async def told(client: LeanClient, url: str, asked: UpstreamRequest) -> dict[str, object]:
    found: dict[str, object] = json.loads(await ask(client, url, asked))
    return found


async def test_requests_arrive_as_they_were_and_connections_are_used_again(
    client: LeanClient, upstream: Program
) -> None:
    for number in range(3):
        asked = request("POST", f"/a%20b?x={number}", ((b"x-kept", b"1"),), Body(b"abc"))
        answer = await client.send(upstream.url, asked, b"x-sg-replica: r\r\n")
        assert (b"content-type", b"application/json") in answer.headers
        found = json.loads(await whole(answer))
        assert (found["method"], found["path"], found["query"]) == ("POST", "/a%20b", f"x={number}")
        assert found["headers"] == [
            ["host", upstream.url.removeprefix("http://")],
            ["x-kept", "1"],
            ["x-sg-replica", "r"],
            ["content-length", "3"],
        ]
        assert client._origins[upstream.url].opened == 1
        assert idle(client, upstream.url) == 1


@pytest.mark.parametrize("size", [0, 1, 17_000, 300_000, 3_000_000])
@pytest.mark.parametrize("framing", ["bytes", "length", "chunked"])
async def test_bodies_arrive_whole_however_they_are_sent(
    client: LeanClient, upstream: Program, size: int, framing: str
) -> None:
    content = os.urandom(size)
    parts = [content[at : at + 50_000] for at in range(0, size, 50_000)]
    body = Body(content if framing == "bytes" else stream(*parts))
    headers = () if framing == "chunked" else ((b"content-length", b"%d" % size),)
    found = await told(client, upstream.url, request("POST", "/", headers, body))
    assert (found["size"], found["sha256"]) == (size, hashlib.sha256(content).hexdigest())
    names = [name for name, _ in found["headers"]]  # type: ignore[attr-defined]
    assert ("transfer-encoding" in names) is (framing == "chunked")
    assert names.count("content-length") == (framing != "chunked")


async def test_many_requests_at_once_get_their_own_answers(
    client: LeanClient, upstream: Program
) -> None:
    async def one(number: int) -> None:
        found = await told(client, upstream.url, request("GET", f"/{number}"))
        assert found["path"] == f"/{number}"

    await asyncio.gather(*(one(number) for number in range(200)))


async def test_a_slow_reader_holds_the_service_back_and_gets_everything(
    client: LeanClient, upstream: Program
) -> None:
    answer = await client.send(upstream.url, request(target="/?mode=big&blocks=200"))
    connection = next(iter(client._origins[upstream.url].busy))
    await eventually(lambda: answer.held)
    held = answer.received
    assert HIGH_WATER_BYTES < held < 3 * HIGH_WATER_BYTES
    for _ in range(20):
        await asyncio.sleep(0)
    assert answer.received == held
    assert not connection.closed
    assert len(await whole(answer)) == 200 * 65536
    assert idle(client, upstream.url) == 1
    assert await told(client, upstream.url, request())


async def test_leaving_an_answer_drops_its_connection(
    client: LeanClient, upstream: Program
) -> None:
    answer = await client.send(upstream.url, request(target="/?mode=big&blocks=200"))
    answer.close()
    answer.close()
    assert idle(client, upstream.url) == 0
    task = asyncio.create_task(ask(client, upstream.url, request(target="/?mode=slow&seconds=9")))
    await eventually(lambda: bool(client._origins[upstream.url].busy))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await eventually(lambda: client._origins[upstream.url].opened == 0)


@pytest.mark.parametrize(
    "asked",
    [
        request("GET", "/a b"),
        request("GET", "/\r\nx: y"),
        request("GET", "/", ((b"a", b"b\r\nx: y"),)),
        request("GET", "/", ((b"a\n", b"b"),)),
    ],
)
async def test_nothing_can_be_put_into_the_head(client: LeanClient, asked: UpstreamRequest) -> None:
    script = Script(OK)
    async with serving(script) as url:
        with pytest.raises(ValueError, match="line end"):
            await ask(client, url, asked)
    assert script.requests == []
