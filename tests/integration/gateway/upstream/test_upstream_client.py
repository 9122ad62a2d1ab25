"""The client of the services against a real server, and against one that misbehaves."""

import asyncio
import hashlib
import json
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.upstream.answer import Answer
from gateway.upstream.connection import HIGH_WATER_BYTES
from gateway.upstream.lean_client import LeanClient
from gateway.upstream.protocol import (
    ConnectFailed,
    NotSent,
    UpstreamBroken,
    UpstreamRequest,
    UpstreamTimeout,
)
from tests.integration.gateway.harness import Program, free_port
from tests.integration.gateway.upstream.raw_server import Body, Script, receive, request, serving
from tests.support.poll import eventually

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def client() -> AsyncIterator[LeanClient]:
    made = LeanClient(connect_timeout_s=1.0, total_timeout_s=10.0)
    yield made
    await made.close()
    assert not any(origin.opened for origin in made._origins.values())


async def whole(answer: Answer) -> bytes:
    part, more = answer.take()
    parts = [part]
    while more:
        part, more = await answer.read()
        parts.append(part)
    answer.close()
    return b"".join(parts)


async def ask(client: LeanClient, url: str, asked: UpstreamRequest | None = None) -> bytes:
    return await whole(await client.send(url, asked or request()))


def idle(client: LeanClient, url: str) -> int:
    return len(client._origins[url].idle)


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


# Against uvicorn.


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


async def test_head_has_a_length_and_no_body(client: LeanClient) -> None:
    script = Script(HEAD + b"content-length: 5\r\n\r\n", OK)
    async with serving(script) as url:
        answer = await client.send(url, request("HEAD"))
        assert (b"content-length", b"5") in answer.headers
        assert await whole(answer) == b""
        assert await ask(client, url) == b"ok"
    assert script.connections == 1


# Against bytes.

WHOLE = {
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", b"", True),
    "empty": (HEAD + b"content-length: 0\r\n\r\n", b"", True),
    "informational": (
        b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + OK,
        b"ok",
        True,
    ),
    "chunked": (
        HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        b"abcde",
        True,
    ),
    "trailers": (
        HEAD + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n",
        b"abc",
        True,
    ),
    "close": (HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\nok", b"ok", False),
    "http/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", False),
    "stray bytes": (OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"ok", False),
    "a part of a second answer": (OK + b"HT", b"ok", False),
    "rubbish behind it": (OK + b"\x00\x01", b"ok", False),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_whole_answers(client: LeanClient, name: str) -> None:
    sent, body, kept = WHOLE[name]
    script = Script(sent, OK)
    async with serving(script) as url:
        answer = await client.send(url, request())
        assert await whole(answer) == body
        assert all(name != b"x-sum" for name, _ in answer.headers)
        # What came too much is never taken for the answer to the next request.
        assert await ask(client, url) == b"ok"
    assert script.connections == (1 if kept else 2)


@pytest.mark.parametrize("name", [name for name, (_, _, kept) in WHOLE.items() if kept])
async def test_answers_that_arrive_byte_by_byte(client: LeanClient, name: str) -> None:
    sent, body, _ = WHOLE[name]
    script = Script([sent[at : at + 1] for at in range(len(sent))], OK)
    async with serving(script) as url:
        assert await ask(client, url) == body
        assert await ask(client, url) == b"ok"
    assert script.connections == 1


async def test_an_answer_may_end_with_its_connection(client: LeanClient) -> None:
    script = Script([HEAD + b"\r\n", b"abc", b"def"], close=True)
    async with serving(script) as url:
        assert await ask(client, url) == b"abcdef"
        assert await ask(client, url) == b"abcdef"
    assert script.connections == 2


BROKEN = {
    "nothing": b"",
    "rubbish": b"SSH-2.0-OpenSSH\r\n",
    "half a head": HEAD + b"content-le",
    "half a body": HEAD + b"content-length: 9\r\n\r\nok",
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab",
    "no last chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
    "two framings": HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    "negative length": HEAD + b"content-length: -2\r\n\r\nab",
    "signed length": HEAD + b"content-length: +2\r\n\r\nab",
    "hexadecimal length": HEAD + b"content-length: 0x2\r\n\r\nab",
    "list of lengths": HEAD + b"content-length: 2, 2\r\n\r\nab",
    "endless length": HEAD + b"content-length: 99999999999999999999999\r\n\r\nab",
    "chunked twice": HEAD + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "gzip, chunked": HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "not chunked last": HEAD + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "bad chunk size": HEAD + b"transfer-encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
    "folded field": HEAD + b"a: b\r\n c\r\ncontent-length: 0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "large head": HEAD + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 900) for n in range(80)) + b"\r\n",
    "large field": HEAD + b"x: " + b"a" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
    "informational for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
    "switched unasked": b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nabc",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_answers_are_never_taken_for_whole_ones(client: LeanClient, name: str) -> None:
    async with serving(Script(BROKEN[name], close=True)) as url:
        with pytest.raises(UpstreamBroken):
            await ask(client, url)
        assert idle(client, url) == 0


async def test_endless_trailers_are_cut_off(client: LeanClient) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receive(reader)
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ")
        while True:
            writer.write(b"a" * 10_000)
            await writer.drain()

    async with serving(handle) as url:
        with pytest.raises(UpstreamBroken):
            await ask(client, url)


async def test_bytes_on_an_idle_connection_are_nobodys_answer(client: LeanClient) -> None:
    more = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receive(reader)
        writer.write(OK)
        await more.wait()
        writer.write(HEAD + b"content-length: 4\r\n\r\nevil")
        await receive(reader)

    async with serving(handle) as url:
        assert await ask(client, url) == b"ok"
        assert idle(client, url) == 1
        more.set()
        await eventually(lambda: idle(client, url) == 0)


# Connections that end.


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


# Time.


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


# Uploads.


async def test_an_early_answer_ends_the_upload_and_the_connection(client: LeanClient) -> None:
    waiting = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        waiting.set()
        await asyncio.sleep(30)
        yield b""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1000)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await reader.read()

    async with serving(handle) as url:
        headers = ((b"content-length", b"5000"),)
        answer = await client.send(url, request("POST", "/", headers, Body(slow())))
        assert (answer.status, await whole(answer)) == (413, b"big")
        assert waiting.is_set()
        origin = client._origins[url]
        await eventually(lambda: origin.opened == 0)


async def test_an_early_answer_to_a_body_at_hand_drops_the_connection(client: LeanClient) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(5)

    async with serving(handle) as url:
        answer = await client.send(url, request("POST", "/", (), Body(bytes(20_000_000))))
        assert answer.status == 413
        await whole(answer)
        origin = client._origins[url]
        await eventually(lambda: origin.opened == 0)


async def test_a_slow_service_holds_the_upload_back(client: LeanClient) -> None:
    taken = 0
    go_on = asyncio.Event()

    async def many() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(400):
            taken += 65536
            yield bytes(65536)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(400 * 65536)
        writer.write(OK)
        await receive(reader)

    async with serving(handle) as url:
        headers = ((b"content-length", b"%d" % (400 * 65536)),)
        task = asyncio.create_task(ask(client, url, request("POST", "/", headers, Body(many()))))
        before = -1

        def stalled() -> bool:
            nonlocal before
            same, before = before == taken and taken > 0, taken
            return same

        await eventually(stalled)
        assert taken < 300 * 65536
        go_on.set()
        assert await task == b"ok"
        assert idle(client, url) == 1


async def test_the_clients_own_failure_is_told_as_it_is(client: LeanClient) -> None:
    class Left(Exception):
        pass

    async def leaving() -> AsyncIterator[bytes]:
        yield b"x"
        raise Left

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as url:
        with pytest.raises(Left):
            await ask(client, url, request("POST", body=Body(leaving())))
        for length in (b"1", b"3"):
            headers = ((b"content-length", length),)
            with pytest.raises(ValueError, match="the body is"):
                await ask(client, url, request("POST", "/", headers, Body(stream(b"ab"))))
        with pytest.raises(ValueError, match="the body is"):
            await ask(client, url, request("POST", "/", headers, Body(b"ab")))


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


# TLS.


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, pkcs8, plain) + made.public_bytes(pem))
    return file


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
