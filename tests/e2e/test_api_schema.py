"""The gateway answers as its own document says, whatever it is sent."""

import re

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key
from tests.support.api_bodies import UNLIMITED
from tests.support.api_fuzz import Effort, fuzz, operations_of
from tests.support.api_world import World

pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)


def test_every_operation_is_described_whole(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    shared = document["components"]["responses"]
    names, missing = set(), []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            label = f"{method.upper()} {path}"
            names.add(operation["operationId"])
            if not operation.get("summary") or not operation.get("tags"):
                missing.append(f"{label}: its name")
            variables = set(re.findall(r"\{([a-z_]+)\}", path))
            told = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            if told != variables:
                missing.append(f"{label}: {variables ^ told}")
            for status, answer in operation["responses"].items():
                if status in {"101", "204"}:
                    continue
                whole = shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
                if not whole.get("content"):
                    missing.append(f"{label}: {status}")
    assert missing == []
    assert len(names) == len(operations_of(document))


def test_no_operation_answers_what_is_not_documented(
    stack: Stack, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    document = client.get("/openapi.json").json()
    world = World(stack.info.gateway_url, make_key(stack, *UNLIMITED)["key"])
    world.fill()

    seen = fuzz(document, stack.info.gateway_url, world, Effort(examples=4))

    findings = {label: one.findings for label, one in seen.items() if one.findings}
    assert findings == {}
    assert seen.keys() == operations_of(document)
    assert [label for label, one in seen.items() if not one.reached] == []
    with client_of(stack) as admin:
        assert admin.get("/ready").json() == {"status": "ready"}
