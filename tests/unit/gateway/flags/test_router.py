from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from gateway.flags import router as router_module
from gateway.flags.client import FlagClient
from gateway.flags.kill_switches import KillSwitches
from gateway.flags.memory_provider import MemoryProvider
from gateway.flags.names import ALIASES, ASR_MODEL, MODEL_FLAGS, kill_switch
from gateway.flags.router import ModelRouter
from gateway.models.flags import DEFAULT_CHOICE, ModelChoice
from gateway.routes import OWN_ROUTES, ROUTES
from shared.metrics import Metrics
from tests.support.flags import (
    ListSink,
    feature,
    file_source,
    model_flag,
    opened,
    sender,
    strategy,
    variant,
    write_flags,
)
from tests.support.poll import eventually

LARGE = {"model": "asr-large", "version": "2"}
CHOSEN = ModelChoice("candidate", "asr-large", "2")


class Setting:
    def __init__(self, path: Path, client: FlagClient, metrics: Metrics) -> None:
        self.path, self.client, self.metrics = path, client, metrics
        self.sink = ListSink()
        self.router = ModelRouter(client, self.sink, metrics)

    async def take(self, *features: dict[str, Any]) -> None:
        before = self.client.source.document
        write_flags(self.path, *features)
        await eventually(lambda: self.client.source.document is not before)


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    path, metrics = tmp_path / "flags.json", Metrics("test")
    source = file_source(path, model_flag(ASR_MODEL, 100, LARGE))
    async with opened(source, metrics) as client:
        yield Setting(path, client, metrics)


def test_a_variant_names_the_model(setting: Setting) -> None:
    choice = setting.router.choose(ASR_MODEL, sender(), None)
    assert choice == CHOSEN
    assert choice.reference == "asr-large/2"


def test_a_route_without_flag_has_the_default(setting: Setting) -> None:
    assert setting.router.choose(None, sender(), None) is DEFAULT_CHOICE
    assert setting.sink.records == []


def test_a_decision_is_computed_and_recorded_once(setting: Setting) -> None:
    for _ in range(5):
        setting.router.choose(ASR_MODEL, sender(), "s1")
    setting.router.choose(ASR_MODEL, sender(), "s2")

    assert [(record[1].attributes["sessionId"], record[3]) for record in setting.sink.records] == [
        ("s1", "route"),
        ("s2", "route"),
    ]
    assert setting.sink.records[0][1].attributes["organization"] == "acme"


async def test_a_change_is_followed(setting: Setting) -> None:
    assert setting.router.choose(ASR_MODEL, sender(), None) == CHOSEN
    await setting.take(model_flag(ASR_MODEL, 100, {"model": "other"}))
    await eventually(lambda: setting.router.choose(ASR_MODEL, sender(), None).model == "other")
    await setting.take(feature(ASR_MODEL, on=False))
    await eventually(lambda: setting.router.choose(ASR_MODEL, sender(), None) == DEFAULT_CHOICE)


def test_a_decision_is_forgotten_after_a_minute(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting.router.choose(ASR_MODEL, sender(), None)
    now = router_module.time.monotonic()
    monkeypatch.setattr(router_module.time, "monotonic", lambda: now + router_module.REMEMBER_S)
    setting.router.choose(ASR_MODEL, sender(), None)
    assert len(setting.sink.records) == 2


def test_what_is_remembered_is_bounded(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_module, "MAX_REMEMBERED", 3)
    for name in ("a", "b", "c", "a", "d", "a", "b"):
        setting.router.choose(ASR_MODEL, sender(name), None)
    # `b` was the one used least recently when `d` came.
    assert [record[1].targeting_key for record in setting.sink.records] == list("abcdb")
    assert len(setting.router._remembered) == 3


def test_a_model_that_the_sender_may_not_use_is_not_chosen(setting: Setting) -> None:
    for models, expected in (
        (frozenset({"asr-large"}), CHOSEN),
        (frozenset({"asr-large/2"}), CHOSEN),
        (frozenset({"asr"}), DEFAULT_CHOICE),
        (frozenset[str](), DEFAULT_CHOICE),
        (None, CHOSEN),
    ):
        assert setting.router.choose(ASR_MODEL, sender(models=models), None) == expected
    text = setting.metrics.render().decode()
    assert 'speechgate_flag_refused_choices_total{flag="asr-model"} 2.0' in text


@pytest.mark.parametrize(
    "payload",
    [
        "{",
        "[]",
        [1],
        {"version": "1"},
        {"model": ""},
        {"model": 7},
        {"model": "a/b"},
        {"model": "a\r\nx: y"},
        {"model": "a", "version": "1\n"},
        {"model": "a", "version": True},
        {"model": "a", "version": []},
    ],
)
async def test_a_malformed_variant_is_the_default(setting: Setting, payload: Any) -> None:
    await setting.take(model_flag(ASR_MODEL, 100, payload))
    await eventually(lambda: setting.router.choose(ASR_MODEL, sender(), None) == DEFAULT_CHOICE)
    text = setting.metrics.render().decode()
    assert 'speechgate_flag_malformed_choices_total{flag="asr-model"}' in text


async def test_a_malformed_variant_is_warned_of_once(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = Mock()
    monkeypatch.setattr("gateway.flags.router._logger", logger)
    await setting.take(model_flag(ASR_MODEL, 100, {"model": ""}))
    await eventually(lambda: not setting.router._remembered)
    for number in range(5):
        setting.router.choose(ASR_MODEL, sender(f"key{number}"), None)
    logger.warning.assert_called_once()


async def test_a_version_may_be_a_number_and_a_variant_bare(setting: Setting) -> None:
    await setting.take(
        model_flag(ASR_MODEL, 100, {"model": "m", "version": 3}),
        feature("tts-model", strategy(variants=[variant("control")])),
    )
    await eventually(lambda: not setting.router._remembered)
    assert setting.router.choose(ASR_MODEL, sender(), None) == ModelChoice("candidate", "m", "3")
    assert setting.router.choose("tts-model", sender(), None) == ModelChoice("control")


@pytest.mark.parametrize("stickiness", ["organization", "userId", "sessionId"])
async def test_a_rollout_sticks_to_what_its_strategy_says(
    setting: Setting, stickiness: str
) -> None:
    await setting.take(model_flag(ASR_MODEL, 50, LARGE, stickiness=stickiness))
    await eventually(lambda: not setting.router._remembered)

    def answers(**of: str) -> set[str]:
        """The variants of senders that have one thing in common, and else nothing."""
        found = set()
        for number in range(30):
            given = {
                "organization": f"t{number}",
                "userId": f"k{number}",
                "sessionId": f"s{number}",
            }
            given |= of
            who = sender(given["userId"], tenant=given["organization"])
            found.add(setting.router.choose(ASR_MODEL, who, given["sessionId"]).variant)
        return found

    for other in {"organization", "userId", "sessionId"} - {stickiness}:
        assert len(answers(**{other: "same"})) == 2
    for number in range(5):
        assert len(answers(**{stickiness: f"same{number}"})) == 1


async def test_without_flags_nothing_is_decided() -> None:
    async with opened(MemoryProvider()) as client:
        sink = ListSink()
        router = ModelRouter(client, sink, Metrics("test"))
        assert router.choose(ASR_MODEL, sender(), None) is DEFAULT_CHOICE
        assert sink.records == []


async def test_a_kill_switch_closes_its_route_only(setting: Setting) -> None:
    templates = {route.template for route in ROUTES}
    switches = KillSwitches(setting.client, templates)
    switches.start()
    try:
        assert not any(map(switches.closed, templates))
        await setting.take(feature("kill-tts-voices"), feature("kill-asr-languages", on=False))
        await eventually(lambda: switches.closed("/api/v1/tts/voices"))
        assert [name for name in templates if switches.closed(name)] == ["/api/v1/tts/voices"]
        await setting.take(feature("kill-tts-voices", on=False))
        await eventually(lambda: not switches.closed("/api/v1/tts/voices"))
    finally:
        await switches.stop()


async def test_a_kill_switch_that_depends_on_the_time_is_looked_at_again(
    setting: Setting,
) -> None:
    switches = KillSwitches(setting.client, ["/api/v1/tts/voices"], interval_s=0.01)
    switches.start()
    try:
        switches._closed = frozenset({"/api/v1/tts/voices"})
        await eventually(lambda: not switches.closed("/api/v1/tts/voices"))
    finally:
        await switches.stop()


def test_every_route_has_a_kill_switch_of_its_own() -> None:
    templates = {route.template for route in (*ROUTES, *OWN_ROUTES)}
    names = {kill_switch(template) for template in templates - set(ALIASES)}
    assert len(names) == len(templates) - len(ALIASES)
    assert not names & set(MODEL_FLAGS)
    assert set(ALIASES) | set(ALIASES.values()) <= templates
    assert all(kill_switch(alias) == kill_switch(name) for alias, name in ALIASES.items())


def test_model_flags_of_routes_are_declared() -> None:
    assert {route.model_flag for route in ROUTES} - {None} == set(MODEL_FLAGS)
