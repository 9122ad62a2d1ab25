"""Reading rules: from a JSON document to rules that contradict themselves nowhere."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from services.nlp.services.conversation.document import DETECTORS, NEEDED_LISTS, RulesDocument
from services.nlp.services.conversation.phrases import variants
from shared.problem import InvalidField, validation_errors

BUILTIN_VERSION = "builtin-1"
MAX_PHRASES = 5_000
MAX_ROWS = 50_000
_MOST_PROBLEMS = 20
"""Named; finding those of thousands of phrases takes seconds."""
_BUILTIN_FILE = Path(__file__).with_name("default_rules.json")


class InvalidRules(InvalidField):
    """The document is none; `errors` says where."""

    default_code = "invalid_rules"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("The rules do not fit the schema.", pointer="")
        self.members["errors"] = errors


def parse_rules(document: Mapping[str, Any]) -> RulesDocument:
    """The document as rules.

    Raises:
        InvalidRules: With a JSON pointer for each member that is wrong.
    """
    try:
        rules = RulesDocument.model_validate(document)
    except ValidationError as error:
        places = error.errors(include_input=False, include_context=False, include_url=False)
        located = [{**place, "loc": _located(place["loc"])} for place in places]
        raise InvalidRules(validation_errors(located)) from None
    problems = list(islice(_contradictions(rules), _MOST_PROBLEMS))
    if problems:
        raise InvalidRules(problems)
    return rules


def _located(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The place in the document; pydantic names the kind of a rule as if it were a member."""
    kind = 2
    if len(location) > kind and location[0] == "rules" and location[kind] in DETECTORS:
        return (*location[:kind], *location[kind + 1 :])
    return location


def _contradictions(rules: RulesDocument) -> Iterator[dict[str, str]]:
    if sum(map(len, rules.lists.values())) > MAX_PHRASES:
        yield _problem("/lists", f"The lists hold at most {MAX_PHRASES} phrases together.")
        return
    for name in NEEDED_LISTS:
        if name not in rules.lists:
            yield _problem("/lists", f"The list {name} is missing; it may be empty.")
    yield from _wrong_phrases(rules)
    seen: set[str] = set()
    for index, rule in enumerate(rules.rules):
        if rule.id in seen:
            yield _problem(f"/rules/{index}/id", "Another rule has this id.")
        seen.add(rule.id)
        if any(name not in rules.lists for name in rule.lists()):
            yield _problem(f"/rules/{index}", "It names a list that is not there.")


def _wrong_phrases(rules: RulesDocument) -> Iterator[dict[str, str]]:
    rows = 0
    for name, phrases in rules.lists.items():
        for index, phrase in enumerate(phrases):
            try:
                rows += len(variants(phrase))
            except ValueError as error:
                yield _problem(f"/lists/{name}/{index}", f"Not a phrase: {error}.")
            if rows > MAX_ROWS:
                yield _problem("/lists", f"They stand for more than {MAX_ROWS} rows of words.")
                return


def _problem(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "detail": detail}


@cache
def builtin_document() -> Mapping[str, Any]:
    """The product's own rules, as they are stored."""
    document: Mapping[str, Any] = orjson.loads(_BUILTIN_FILE.read_bytes())
    return document
