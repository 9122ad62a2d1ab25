from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openfeature.event import ProviderEvent
from openfeature.provider import ProviderStatus
from openfeature.provider.in_memory_provider import InMemoryFlag

from gateway.exceptions import FlagsUnavailable
from gateway.flags.client import FlagClient
from gateway.flags.memory_provider import MemoryProvider
from gateway.models.flags import FlagContext, FlagKind
from shared.metrics import Metrics
from tests.support.flags import feature, file_source, opened, strategy, variant, write_flags
from tests.support.poll import eventually

SOMEBODY = FlagContext("key1", {"organization": "acme"})
ACME = [{"contextName": "organization", "operator": "IN", "values": ["acme"], "inverted": False}]
FLAGS = (
    feature("on"),
    feature("off", on=False),
    feature("half", strategy(50, group="half")),
    feature("acme", strategy(constraints=ACME)),
    feature("object", strategy(variants=[variant("o", {"model": "asr"})])),
    feature("string", strategy(variants=[variant("s", "text", kind="string")])),
    feature("number", strategy(variants=[variant("n", "2.5", kind="number")])),
    feature("bare", strategy(variants=[variant("control")])),
    feature("broken", strategy(variants=[variant("b", "{")])),
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[FlagClient]:
    async with opened(file_source(tmp_path / "flags.json", *FLAGS)) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "kind", "default", "value", "variant_name", "reason", "error"),
    [
        ("on", "boolean", False, True, None, "TARGETING_MATCH", None),
        ("off", "boolean", True, False, None, "DISABLED", None),
        ("off", "object", {"d": 1}, {"d": 1}, None, "DISABLED", None),
        ("on", "object", {"d": 1}, {"d": 1}, None, "TARGETING_MATCH", None),
        ("acme", "boolean", False, True, None, "TARGETING_MATCH", None),
        ("object", "object", {}, {"model": "asr"}, "o", "TARGETING_MATCH", None),
        ("object", "boolean", False, True, None, "TARGETING_MATCH", None),
        ("string", "string", "", "text", "s", "TARGETING_MATCH", None),
        ("number", "number", 0, 2.5, "n", "TARGETING_MATCH", None),
        ("bare", "string", "", "control", "control", "TARGETING_MATCH", None),
        ("bare", "object", {"d": 1}, {"d": 1}, "control", "TARGETING_MATCH", None),
        ("string", "object", {"d": 1}, {"d": 1}, None, "ERROR", "TYPE_MISMATCH"),
        ("object", "number", 7, 7, None, "ERROR", "TYPE_MISMATCH"),
        ("broken", "object", {"d": 1}, {"d": 1}, None, "ERROR", "PARSE_ERROR"),
        ("nowhere", "boolean", True, True, None, "ERROR", "FLAG_NOT_FOUND"),
        ("nowhere", "string", "d", "d", None, "ERROR", "FLAG_NOT_FOUND"),
    ],
)
def test_answers(
    client: FlagClient,
    name: str,
    kind: str,
    default: Any,
    value: Any,
    variant_name: str | None,
    reason: str,
    error: str | None,
) -> None:
    found = client.evaluate(name, SOMEBODY, default, FlagKind(kind))
    assert (found.value, found.variant) == (value, variant_name)
    assert (found.reason, found.error_code) == (reason, error)


def test_a_context_that_no_strategy_matches_gets_the_default(client: FlagClient) -> None:
    other = FlagContext("key1", {"organization": "other"})
    found = client.evaluate("acme", other, default=True, kind=FlagKind.BOOLEAN)
    assert (found.value, found.reason) == (False, "DEFAULT")


def test_a_partial_rollout_is_a_split(client: FlagClient) -> None:
    answers = [
        client.evaluate("half", FlagContext(f"key{i}"), default=False, kind=FlagKind.BOOLEAN)
        for i in range(50)
    ]
    assert {(found.value, found.reason) for found in answers} == {
        (True, "SPLIT"),
        (False, "DEFAULT"),
    }


def test_a_context_cannot_pose_as_another_environment(client: FlagClient) -> None:
    context = FlagContext("key1", {"environment": "production", "organization": "acme"})
    assert client.evaluate("acme", context, default=False, kind=FlagKind.BOOLEAN).value is True


async def test_the_provider_tells_what_happens(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    source = file_source(path, feature("a"))
    heard: list[tuple[ProviderEvent, list[str] | None]] = []
    async with opened(source) as client:
        of_provider = client._client
        for event in ProviderEvent:
            of_provider.add_handler(
                event, lambda details, event=event: heard.append((event, details.flags_changed))
            )
        await eventually(lambda: (ProviderEvent.PROVIDER_READY, None) in heard)

        write_flags(path, feature("a"), feature("b"))
        await eventually(lambda: (ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, ["b"]) in heard)

        path.write_text("{")
        await eventually(lambda: (ProviderEvent.PROVIDER_STALE, None) in heard)
        assert of_provider.get_provider_status() is ProviderStatus.STALE
        assert client.evaluate("b", SOMEBODY, default=False, kind=FlagKind.BOOLEAN).value is True

        heard.clear()
        write_flags(path, feature("b"))
        await eventually(lambda: (ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, ["a"]) in heard)
        assert of_provider.get_provider_status() is ProviderStatus.READY


async def test_without_a_file_every_flag_has_its_default_until_it_appears(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    source = file_source(path)
    path.unlink()
    async with opened(source) as client:
        assert client._client.get_provider_status() is ProviderStatus.ERROR
        found = client.evaluate("a", SOMEBODY, default=True, kind=FlagKind.BOOLEAN)
        assert (found.value, found.error_code) == (True, "FLAG_NOT_FOUND")
        with pytest.raises(FlagsUnavailable):
            await source.refresh()

        write_flags(path, feature("a", on=False))

        await eventually(lambda: client._client.get_provider_status() is ProviderStatus.READY)
        assert client.evaluate("a", SOMEBODY, default=True, kind=FlagKind.BOOLEAN).value is False


async def test_apps_do_not_share_a_provider(tmp_path: Path) -> None:
    here = file_source(tmp_path / "here.json", feature("a"))
    there = file_source(tmp_path / "there.json", feature("a", on=False))
    async with opened(here) as first, opened(there) as second:
        assert first.evaluate("a", SOMEBODY, default=False, kind=FlagKind.BOOLEAN).value is True
        assert second.evaluate("a", SOMEBODY, default=True, kind=FlagKind.BOOLEAN).value is False


async def test_a_closed_client_listens_no_more(tmp_path: Path) -> None:
    async with opened(file_source(tmp_path / "flags.json", feature("a"))) as client:
        pass
    found = client.evaluate("a", SOMEBODY, default=True, kind=FlagKind.BOOLEAN)
    assert (found.value, found.reason) == (True, "DEFAULT")


async def test_flags_in_memory() -> None:
    flag = InMemoryFlag("small", {"small": {"model": "a"}, "large": {"model": "b"}})
    source = MemoryProvider({"asr-model": flag})
    told = 0

    def listener() -> None:
        nonlocal told
        told += 1

    async with opened(source) as client:
        await eventually(lambda: client._client.get_provider_status() is ProviderStatus.READY)
        client.on_change(listener)
        found = client.evaluate("asr-model", SOMEBODY, {}, FlagKind.OBJECT)
        assert (found.value, found.variant, found.reason) == ({"model": "a"}, "small", "STATIC")

        source.replace({"asr-model": InMemoryFlag("large", flag.variants)})
        await eventually(lambda: told > 0)
        found = client.evaluate("asr-model", SOMEBODY, {}, FlagKind.OBJECT)
        assert found.value == {"model": "b"}


async def test_metrics_name_known_flags_only(tmp_path: Path) -> None:
    metrics = Metrics("test")
    async with opened(file_source(tmp_path / "flags.json", *FLAGS), metrics) as client:
        for name in ("object", "no-such", "nor-such"):
            client.evaluate(name, SOMEBODY, {}, FlagKind.OBJECT)
        text = metrics.render().decode()
    name = "speechgate_flag_evaluations_total"
    assert f'{name}{{flag="object",reason="TARGETING_MATCH",variant="o"}} 1.0' in text
    assert f'{name}{{flag="unknown",reason="ERROR",variant=""}} 2.0' in text
    assert "speechgate_flags_stale 0.0" in text
    assert "such" not in text
