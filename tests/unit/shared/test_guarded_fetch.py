"""The guarded fetch, against real local servers and resolvers that lie."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.ssrf import (
    FetchPolicy,
    GuardedFetcher,
    UriNotAllowed,
    UriTooLarge,
    UriUnreachable,
    parse_allowed,
)
from tests.support.fetching import (
    fetcher,
    reply,
    requests,
    resolved,
    server,
)


@pytest.fixture(autouse=True)
def _no_requests() -> None:
    requests.clear()


async def test_content_arrives_and_the_host_keeps_its_name() -> None:
    async with server(reply(b"audio")) as port, fetcher(port) as fetching:
        assert await fetching.fetch(f"http://store.example:{port}/a%20b?c=d") == b"audio"
    head = requests[0].decode().lower()
    assert head.startswith("get /a%20b?c=d http/1.1\r\n")
    assert f"host: store.example:{port}" in head
    assert "accept-encoding: identity" in head


async def test_the_name_is_resolved_once() -> None:
    resolved.clear()
    async with server(reply(b"audio")) as port, fetcher(port) as fetching:
        await fetching.fetch(f"http://store.example:{port}/")
    assert resolved == ["store.example"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
        ["93.184.215.14", "::1"],
        ["2606:4700::1", "fe80::1%eth0"],
        ["169.254.169.254"],
    ],
    ids=str,
)
async def test_one_private_answer_is_enough_to_refuse(addresses: list[str]) -> None:
    async with fetcher(addresses=addresses, networks=()) as fetching:
        with pytest.raises(UriNotAllowed):
            await fetching.fetch("http://mixed.example/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.example/a",
        "//store.example/a",
        "ftp://store.example/",
        "file:///etc/passwd",
        "gopher://store.example/",
        "http://",
        "http:///a",
        "http://user@store.example/",
        "http://user:pw@store.example/",
        "http://store.example:22/",
        "http://store.example:99999/",
        "http://store.example\\@127.0.0.1/",
        "http://store.example/\r\nX: y",
        "http://store.example/" + "a" * 3000,
    ],
    ids=lambda url: url[:40],
)
async def test_forms_that_are_refused_before_anything_is_resolved(url: str) -> None:
    resolved.clear()
    async with fetcher() as fetching:
        with pytest.raises(UriNotAllowed) as caught:
            await fetching.fetch(url)
    assert (caught.value.status, caught.value.code) == (422, "uri_not_allowed")
    assert resolved == []


async def test_plain_http_needs_to_be_allowed() -> None:
    async with fetcher(allow_http=False) as fetching:
        with pytest.raises(UriNotAllowed):
            await fetching.fetch("http://store.example/")


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]"])
async def test_ways_to_write_loopback(host: str) -> None:
    """With the system's own resolver."""
    policy = FetchPolicy(max_bytes=10, allow_http=True)
    fetching = GuardedFetcher(policy)
    with pytest.raises(UriNotAllowed):
        await fetching.fetch(f"http://{host}/")
    await fetching.close()


async def test_a_host_can_be_allowed_by_name() -> None:
    networks, hosts = parse_allowed(["10.0.0.0/8", " Store.Example ", "", "127.0.0.1"])
    assert hosts == {"store.example"}
    assert [str(one) for one in networks] == ["10.0.0.0/8", "127.0.0.1/32"]
    async with (
        server(reply(b"audio")) as port,
        fetcher(port, networks=(), hosts=hosts) as fetching,
    ):
        assert await fetching.fetch(f"http://store.example:{port}/") == b"audio"
        with pytest.raises(UriNotAllowed):
            await fetching.fetch(f"http://other.example:{port}/")


async def test_redirects_are_not_followed() -> None:
    moved = reply(b"", "302 Found", "Location: http://127.0.0.1/")
    async with server(moved) as port, fetcher(port) as fetching:
        with pytest.raises(UriUnreachable):
            await fetching.fetch(f"http://store.example:{port}/")
    assert len(requests) == 1


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "404 Not Found"])
async def test_only_a_200_counts(status: str) -> None:
    async with server(reply(b"", status)) as port, fetcher(port) as fetching:
        with pytest.raises(UriUnreachable) as caught:
            await fetching.fetch(f"http://store.example:{port}/")
    assert caught.value.status == 422


async def test_a_declared_length_over_the_cap() -> None:
    async with server(reply(bytes(1001))) as port, fetcher(port) as fetching:
        with pytest.raises(UriTooLarge) as caught:
            await fetching.fetch(f"http://store.example:{port}/")
    assert (caught.value.status, caught.value.code) == (413, "uri_too_large")


async def test_an_endless_body_is_cut_at_the_cap() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + bytes(1024) + b"\r\n")
            sent += 1024
            await writer.drain()

    async with server(endless) as port, fetcher(port) as fetching:
        with pytest.raises(UriTooLarge):
            await fetching.fetch(f"http://store.example:{port}/")
    assert sent < 50_000_000


async def test_a_slow_body_ends_at_the_total_time() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nau")
        await writer.drain()
        await reader.read()

    async with server(slow) as port, fetcher(port, total_timeout_s=0.3) as fetching:
        with pytest.raises(UriUnreachable):
            await fetching.fetch(f"http://store.example:{port}/")


async def test_a_slow_resolver_ends_at_the_connect_time() -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    policy = FetchPolicy(max_bytes=10, allow_http=True, connect_timeout_s=0.1)
    fetching = GuardedFetcher(policy, resolver=never)
    with pytest.raises(UriUnreachable):
        await fetching.fetch("http://store.example/")
    await fetching.close()


async def test_nobody_listens() -> None:
    async with server(reply(b"")) as port:
        pass
    async with fetcher(port) as fetching:
        with pytest.raises(UriUnreachable):
            await fetching.fetch(f"http://store.example:{port}/")


async def test_a_name_without_addresses() -> None:
    async with fetcher(addresses=()) as fetching:
        with pytest.raises(UriUnreachable):
            await fetching.fetch("http://store.example/")


async def test_the_second_address_is_tried() -> None:
    addresses = ("127.0.0.2", "127.0.0.1")
    async with server(reply(b"audio")) as port, fetcher(port, addresses=addresses) as fetching:
        assert await fetching.fetch(f"http://store.example:{port}/") == b"audio"


async def test_a_server_that_speaks_no_http() -> None:
    async def noise(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01\x02 hello\r\n\r\n")
        await writer.drain()

    async with server(noise) as port, fetcher(port) as fetching:
        with pytest.raises(UriUnreachable):
            await fetching.fetch(f"http://store.example:{port}/")


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with server(reply(b"audio")) as port, fetcher(port) as fetching:
        assert await fetching.fetch(f"http://store.example:{port}/") == b"audio"
