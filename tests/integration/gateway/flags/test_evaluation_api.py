"""`/api/v1/feature-flags` over real Unleash."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.flags.names import MODEL_FLAGS
from gateway.services.authority import OPERATOR
from tests.integration.gateway.flags.conftest import (
    API,
    Client,
    ClientOf,
    FlagWorld,
    evaluated,
    synced,
)
from tests.integration.gateway.harness import problem
from tests.support.flags import Feature, feature, strategy, variant

ANSWER = {"flag_name", "value", "variant", "reason", "evaluated_at", "error_code"}
MISSING = "no-such-flag"
MakeFlag = Callable[[Feature], str]


@pytest.fixture
async def large(client: Client, make_flag: MakeFlag, flag_name: str) -> str:
    """A flag that is on for everybody, whose only variant is an object."""
    only = variant("large", {"model": "asr-large", "beams": 4})
    make_flag(feature(flag_name, strategy(group=flag_name, variants=[only])))
    await synced(client, flag_name)
    return flag_name


async def test_an_evaluation_has_the_shape_of_the_contract(client: Client, large: str) -> None:
    asked = {
        "flag_name": large,
        "user_id": "somebody",
        "context": {"plan": "gold", "seats": 3, "beta": True, "note": None, "load": 0.5},
        "default_value": {},
        "environment": "development",
    }
    response = await client.post(f"{API}/evaluate", json=asked)
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == ANSWER
    evaluated_at = datetime.fromisoformat(answer.pop("evaluated_at"))
    assert evaluated_at.utcoffset() == UTC.utcoffset(None)
    assert abs((datetime.now(UTC) - evaluated_at).total_seconds()) < 60
    assert answer == {
        "flag_name": large,
        "value": {"model": "asr-large", "beams": 4},
        "variant": "large",
        "reason": "TARGETING_MATCH",
        "error_code": None,
    }


async def test_the_type_of_the_default_is_the_type_of_the_value(client: Client, large: str) -> None:
    on = await evaluated(client, large, default_value=False)
    assert (on["value"], on["variant"]) == (True, None)
    text = await evaluated(client, large, default_value="small")
    assert (text["value"], text["error_code"]) == ("small", "TYPE_MISMATCH")
    missing = await evaluated(client, MISSING, default_value=[1, {"a": "b"}])
    assert (missing["value"], missing["error_code"]) == ([1, {"a": "b"}], "FLAG_NOT_FOUND")
    assert (await evaluated(client, MISSING))["value"] is None


async def test_boolean_and_bulk(client: Client, large: str) -> None:
    asked: dict[str, Any] = {"flag_name": large, "user_id": "somebody"}
    boolean = (await client.post(f"{API}/evaluate/boolean", json=asked)).json()
    assert set(boolean) == ANSWER
    assert (boolean["value"], boolean["reason"]) == (True, "TARGETING_MATCH")

    names = [MISSING, large, "asr-model"]
    asked = {"flag_names": names, "default_values": {MISSING: 7}, "user_id": "somebody"}
    bulk = (await client.post(f"{API}/evaluate/bulk", json=asked)).json()
    assert [answer["flag_name"] for answer in bulk["evaluations"]] == names
    assert [answer["value"] for answer in bulk["evaluations"]] == [
        7,
        {"model": "asr-large", "beams": 4},
        None,
    ]
    assert [answer["reason"] for answer in bulk["evaluations"]] == [
        "ERROR",
        "TARGETING_MATCH",
        "DISABLED",
    ]


async def test_flags_are_listed_in_pages_and_read_one_by_one(client: Client, large: str) -> None:
    names: list[str] = []
    cursor: str | None = None
    while True:
        given = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(API, params=given)).json()
        assert 1 <= len(page["items"]) <= 2
        assert page["state"]["source"] == "unleash"
        assert page["state"]["environment"] == "development"
        assert page["state"]["stale"] is False
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == sorted({*MODEL_FLAGS, large, *names})

    assert (await client.get(f"{API}/{large}")).json() == {
        "name": large,
        "enabled": True,
        "description": "",
        "type": "release",
        "kind": "object",
        "variants": ["large"],
        "strategies": ["flexibleRollout"],
        "rollout": 100,
        "environment": "development",
    }


async def test_a_synchronization_fetches_what_is_new_and_stores_it(
    client: Client, flag_world: FlagWorld, make_flag: MakeFlag, flag_name: str
) -> None:
    make_flag(feature(flag_name))
    answer = await synced(client, flag_name)
    assert answer["flags"] == len((await client.get(API)).json()["items"])
    assert answer["state"]["stale"] is False
    assert answer["synced_at"] >= answer["state"]["refreshed_at"]
    stored = flag_world.query(
        "SELECT name, enabled, source, environment, definition->'feature'->>'name'"
        " FROM feature_flags"
    )
    assert f"{flag_name}|t|unleash|development|{flag_name}" in stored.splitlines()


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("evaluate", b"", 400, "empty_body"),
        ("evaluate", b"[]", 400, "invalid_json"),
        ("evaluate", b'{"flag_name":"a","default_value":NaN}', 400, "invalid_json"),
        ("evaluate", b'{"flag_name":"a","flag_name":"b"}', 400, "duplicate_member"),
        ("evaluate", b'{"flag_name":"a","default_value":' + b"[" * 99 + b"]" * 99 + b"}", 400,
         "json_too_deep"),
        ("evaluate", b"{}", 422, "validation_failed"),
        ("evaluate", b'{"flag_name":1}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":""}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"../a"}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"a","user_id":""}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"a","user_id":"a\\u0000b"}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"a","context":{"a":{"b":1}}}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"a","context":[]}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"a","tenant":"other"}', 422, "validation_failed"),
        ("evaluate", b'{"flag_name":"a","environment":"production"}', 422, "unknown_environment"),
        ("evaluate/boolean", b'{"flag_name":"a","default_value":"yes"}', 422, "validation_failed"),
        ("evaluate/bulk", b'{"flag_names":[]}', 422, "validation_failed"),
        ("evaluate/bulk", b'{"flag_names":[' + b'"a",' * 100 + b'"a"]}', 422, "validation_failed"),
    ],
)  # fmt: skip
async def test_a_bad_body_is_refused(
    client: Client, path: str, body: bytes, status: int, code: str
) -> None:
    response = await client.post(f"{API}/{path}", content=body)
    assert (response.status_code, problem(response)["code"]) == (status, code)


async def test_contexts_that_strategies_cannot_use_are_no_error(
    client: Client, make_flag: MakeFlag, flag_name: str
) -> None:
    nobody = {"name": "remoteAddress", "parameters": {"IPs": "10.0.0.0/8"}}
    late = {"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2001-01-01T00:00:00Z"}
    make_flag(feature(flag_name, nobody, strategy(group=flag_name, constraints=[late])))
    await synced(client, flag_name)
    for context in (
        {"remoteAddress": "nonsense"},
        {"currentTime": "yesterday"},
        {"properties": "x", "appName": "y", "environment": "z"},
        {"userId": "a\x00b", "sessionId": "\x00"},
        {"n" * 200: "v" * 200, "big": 10**18},
    ):
        answer = await evaluated(client, flag_name, context=context, default_value=False)
        assert (answer["value"], answer["error_code"]) == (True, None), context


async def test_every_name_that_unleash_allows_is_a_name(
    client: Client, make_flag: MakeFlag, flag_name: str
) -> None:
    odd = make_flag(feature(f"{flag_name}_.~!*'()"))
    make_flag(feature(flag_name))
    assert (await synced(client, flag_name))["state"]["stale"] is False
    assert (await evaluated(client, odd))["value"] is True
    page = (await client.get(API, params={"cursor": odd, "limit": 1})).json()
    assert page["items"][0]["name"] > odd


async def test_what_is_not_there_is_not_found(client: Client) -> None:
    response = await client.get(f"{API}/{MISSING}")
    assert (response.status_code, problem(response)["code"]) == (404, "not_found")
    response = await client.get(API, params={"cursor": "a b"})
    assert (response.status_code, problem(response)["code"]) == (422, "bad_cursor")


async def test_each_operation_needs_its_permission(open_client: ClientOf) -> None:
    operations = {
        "flags:evaluate": [
            ("POST", "/evaluate"),
            ("POST", "/evaluate/boolean"),
            ("POST", "/evaluate/bulk"),
        ],
        "flags:read": [("GET", ""), ("GET", "/asr-model")],
        "flags:write": [("POST", "/sync")],
    }
    body = {"flag_name": "asr-model", "flag_names": ["asr-model"]}
    for granted in (*operations, "asr:infer"):
        client: Client = await open_client(granted)
        for needed, paths in operations.items():
            for method, path in paths:
                wanted = "flag_names" if path.endswith("bulk") else "flag_name"
                sent = {wanted: body[wanted]} if "evaluate" in path else None
                response = await client.request(method, API + path, json=sent)
                if needed == granted:
                    assert response.status_code == 200, response.text
                else:
                    assert (response.status_code, problem(response)["code"]) == (
                        403,
                        "scope_missing",
                    )
    nobody: Client = await open_client()
    del nobody.headers["Authorization"]
    assert (await nobody.get(API)).status_code == 401


async def test_nobody_evaluates_as_another_organization(
    flag_world: FlagWorld, open_client: ClientOf, make_flag: MakeFlag, flag_name: str
) -> None:
    async with flag_world.installation.services() as services:
        acme = await services.accounts.organizations.ensure(OPERATOR, "flags-acme")
    only = {"contextName": "organization", "operator": "IN", "values": [acme.id]}
    make_flag(feature(flag_name, strategy(group=flag_name, constraints=[only])))
    ours: Client = await open_client(tenant="flags-acme")
    theirs: Client = await open_client(tenant="flags-rival")
    operator: Client = await open_client("*", "platform:admin", tenant="flags-rival")
    await synced(ours, flag_name)

    for claimed in ({}, {"organization": acme.id}):
        for client, expected in ((ours, True), (theirs, False)):
            answer = await evaluated(client, flag_name, context=claimed, default_value=True)
            assert answer["value"] is expected
    claimed = {"organization": acme.id}
    answer = await evaluated(operator, flag_name, context=claimed, default_value=False)
    assert answer["value"] is True, "a platform administrator may ask for anybody"

    for path in (API, f"{API}/{flag_name}"):
        assert acme.id not in (await theirs.get(path)).text, "whom a flag chooses is not told"
