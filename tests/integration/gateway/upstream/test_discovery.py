"""Replicas that come and go while the gateway runs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from prometheus_client import Counter

from gateway.upstream.discovery import Discovery
from gateway.upstream.sources import ReplicaSource, parse_replicas
from tests.integration.gateway.upstream.name_server import NameServer, name_server
from tests.support.poll import eventually


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with name_server() as server:
        yield server


def source_of(text: str, names: NameServer | None = None) -> ReplicaSource:
    found = parse_replicas(text, names.resolver() if names else None)
    assert not isinstance(found, tuple)
    return found


async def urls_of(source: ReplicaSource) -> list[str]:
    return list((await source.look_up()).urls)


def test_a_list_is_taken_as_it_is() -> None:
    found = parse_replicas(" http://a:1, https://b:2/ ,http://a:1,")
    assert found == ("http://a:1", "https://b:2")


@pytest.mark.parametrize(
    "text", ["ftp://a:1", "dns://asr", "srv://_http._tcp.asr:80", "dns://a:1/path", "http://"]
)
def test_what_names_no_replicas_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_replicas(text)


async def test_each_address_of_a_name_is_a_replica(names: NameServer) -> None:
    names.records["asr.example", "A"] = ["127.0.0.2", "127.0.0.1"]
    names.records["asr.example", "AAAA"] = ["::1"]
    source = source_of("dns://asr.example:8101", names)
    found = await source.look_up()
    assert found.urls == ["http://127.0.0.1:8101", "http://127.0.0.2:8101"]
    assert found.fresh_s == 1
    del names.records["asr.example", "A"]
    assert await urls_of(source) == ["http://[::1]:8101"]


async def test_services_name_host_and_port_of_the_best_priority(names: NameServer) -> None:
    names.records["_http._tcp.asr.example", "SRV"] = [
        "10 5 8101 a.example.",
        "10 1 8102 b.example.",
        "20 1 8103 c.example.",
    ]
    source = source_of("srv://_http._tcp.asr.example", names)
    assert await urls_of(source) == ["http://a.example:8101", "http://b.example:8102"]


async def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "replicas"
    path.write_text("http://a:1 # the first\n\n# nothing\nhttp://b:2/\n")
    source = source_of(f"file:{path}")
    assert await urls_of(source) == ["http://a:1", "http://b:2"]
    path.write_text("http://c:3\n")
    assert await urls_of(source) == ["http://c:3"]
    path.write_text("nonsense\n")
    with pytest.raises(ValueError, match="nonsense"):
        await source.look_up()


async def test_changes_arrive_and_failures_change_nothing(names: NameServer) -> None:
    names.records["asr.example", "A"] = ["127.0.0.1"]
    seen: list[Sequence[str]] = []
    failures = Counter("failures", "", registry=None)
    discovery = Discovery(
        "asr", source_of("dns://asr.example:1", names), seen.append, failures, max_wait_s=0.05
    )
    task = asyncio.create_task(discovery.run())
    try:
        await discovery.looked_up.wait()
        assert seen == [["http://127.0.0.1:1"]]
        names.records["asr.example", "A"] = ["127.0.0.1", "127.0.0.2"]
        await eventually(lambda: seen[-1] == ["http://127.0.0.1:1", "http://127.0.0.2:1"])
        names.records.clear()  # NXDOMAIN, as when a cluster's DNS is being replaced.
        asked = names.asked
        await eventually(lambda: names.asked >= asked + 2)
        assert failures._value.get() >= 1
        assert seen[-1] == ["http://127.0.0.1:1", "http://127.0.0.2:1"]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
