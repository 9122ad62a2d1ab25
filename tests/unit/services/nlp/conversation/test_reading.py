import copy
import re
from typing import Any

import pytest

from services.nlp.services.conversation.phrases import variants
from services.nlp.services.conversation.reading import (
    InvalidRules,
    builtin_document,
    parse_rules,
)


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(dict(builtin_document()))


def places(document: Any) -> list[str]:
    with pytest.raises(InvalidRules) as caught:
        parse_rules(document)
    assert caught.value.status == 422
    return [error["pointer"] for error in caught.value.members["errors"]]


def test_the_products_own_rules_are_valid() -> None:
    rules = parse_rules(builtin_document())
    assert len({rule.id for rule in rules.rules}) == len(rules.rules) >= 20
    for rule in rules.rules:
        assert re.fullmatch(r"[A-Z].*[a-z.]\.?", rule.advice)
        assert rule.advice.endswith(".")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda one: one.pop("schema_version"), "/schema_version"),
        (lambda one: one.update(schema_version=2), "/schema_version"),
        (lambda one: one.update(more=1), "/more"),
        (lambda one: one["rules"][0].update(longer_than_s=-1), "/rules/0/longer_than_s"),
        (lambda one: one["rules"][0].update(longer_than_s="60"), "/rules/0/longer_than_s"),
        (lambda one: one["rules"][0].update(longer_than=60), "/rules/0/longer_than"),
        (lambda one: one["rules"][0].update(severity="awful"), "/rules/0/severity"),
        (lambda one: one["rules"][0].update(detector="guess"), "/rules/0"),
        (lambda one: one["rules"][0].update(advice=""), "/rules/0/advice"),
        (lambda one: one["rules"][0].update(advice="a\nb"), "/rules/0/advice"),
        (lambda one: one["rules"][0].update(advice="a\n"), "/rules/0/advice"),
        (lambda one: one["rules"][0].update(advice="a" * 301), "/rules/0/advice"),
        (lambda one: one["rules"][1].update(above=None), "/rules/1"),
        (lambda one: one["rules"][1].update(id="interruption"), "/rules/2/id"),
        (lambda one: one["rules"][8].update(phrases=["nowhere"]), "/rules/8"),
        (lambda one: one["rules"][8]["answer"].update(phrases=["x"]), "/rules/8"),
        (lambda one: one["rules"][15]["part"].update(end=0.0), "/rules/15/part"),
        (lambda one: one["lists"].pop("fillers"), "/lists"),
        (lambda one: one["lists"].update(Bad=[]), "/lists/Bad/[key]"),
        (lambda one: one["lists"]["price"].append("* dollars"), "/lists/price/-1"),
        (lambda one: one["lists"]["price"].append("a" * 301), "/lists/price/-1"),
        (lambda one: one["lists"]["price"].append("|".join("ab") + " c|d" * 11), "/lists/price/-1"),
        (lambda one: one["lists"]["price"].extend(["a"] * 5_000), "/lists"),
        (lambda one: one["lists"]["price"].extend(["a|b" + " a|b" * 8] * 200), "/lists"),
        (lambda one: one.update(languages=["English"]), "/languages/0"),
        (lambda one: one.update(rules=one["rules"] * 6), "/rules"),
    ],
)
def test_each_wrong_member_is_named(document: dict[str, Any], change: Any, pointer: str) -> None:
    change(document)
    last = len(document["lists"]["price"]) - 1
    assert pointer.replace("-1", str(last)) in places(document)


def test_of_thousands_of_wrong_phrases_a_few_are_looked_at(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    document["lists"] = {**document["lists"], "price": ["* dollars"] * 4_000}
    looks: list[str] = []

    def counted(phrase: str) -> list[tuple[str, ...]]:
        looks.append(phrase)
        return variants(phrase)

    monkeypatch.setattr("services.nlp.services.conversation.reading.variants", counted)
    assert len(places(document)) == looks.count("* dollars") == 20


def test_of_thousands_of_phrases_that_are_none_one_is_named(document: dict[str, Any]) -> None:
    document["lists"]["price"] = [""] * 4_000
    assert places(document) == ["/lists/price/0"]


@pytest.mark.parametrize("wrong", [{}, {"rules": 5}, {"lists": {"a": "b"}}])
def test_what_is_no_document(wrong: dict[str, Any]) -> None:
    assert places(wrong)
