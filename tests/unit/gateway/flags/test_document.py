import json

import pytest

from gateway.flags.document import FlagDocument, MalformedFlags
from gateway.flags.engine import load_engine
from gateway.models.flags import FlagKind
from tests.support.flags import feature, model_flag, strategy, variant


def parse(*features: object, **more: object) -> FlagDocument:
    return FlagDocument.parse(json.dumps({"version": 2, "features": features, **more}))


def test_a_flag_is_described() -> None:
    document = parse(
        feature("plain"),
        feature("off", on=False),
        model_flag("asr-model", 10, {"model": "asr"}),
        feature("two", strategy(variants=[variant("a"), variant("b")])),
        feature("number", strategy(variants=[variant("a", "3", kind="number")])),
    )
    flags = document.flags
    assert not flags["off"].enabled
    assert (flags["plain"].kind, flags["plain"].split) == (FlagKind.BOOLEAN, False)
    assert (flags["asr-model"].kind, flags["asr-model"].rollout) == (FlagKind.OBJECT, 10)
    assert flags["asr-model"].split
    assert flags["two"].variants == ("a", "b")
    assert (flags["two"].kind, flags["two"].split) == (FlagKind.STRING, True)
    assert flags["number"].kind is FlagKind.NUMBER


def test_what_is_stored_can_be_restored() -> None:
    segment = {"id": 7, "constraints": [], "name": "ours"}
    bound = strategy() | {"segments": [7]}
    document = parse(feature("b", bound), feature("a"), segments=[segment])

    stored = document.store()
    restored = FlagDocument.restore(stored)

    assert [item.flag.name for item in stored] == ["a", "b"]
    assert stored[0].definition["segments"] == []
    assert document.changed(restored) == []


def test_changes_are_named() -> None:
    before = parse(feature("same"), feature("gone"), feature("edited"))
    after = parse(feature("same"), feature("new"), feature("edited", on=False))
    assert before.changed(after) == ["edited", "gone", "new"]


def test_a_changed_segment_changes_all_flags() -> None:
    before = parse(feature("a"), segments=[{"id": 1, "constraints": []}])
    after = parse(feature("a"), segments=[])
    assert before.changed(after) == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"features": 1}',
        '{"features": [1]}',
        '{"features": [{"name": "a"}]}',
        '{"features": [{"name": "a", "enabled": true}]}',
        '{"features": [{"name": "a", "enabled": true, "strategies": [{}]}]}',
        '{"features": [{"name": "a b", "enabled": true, "strategies": []}]}',
        '{"features": [{"name": 1, "enabled": true, "strategies": []}]}',
        '{"features": [{"name": "a", "enabled": true, "strategies": [], "variants": [1]}]}',
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(MalformedFlags):
        FlagDocument.parse(text)


def test_what_the_engine_refuses_is_refused() -> None:
    broken = feature("a", strategy() | {"parameters": {"rollout": 5}})
    with pytest.raises(MalformedFlags, match="engine"):
        load_engine(parse(broken, feature("b")))
