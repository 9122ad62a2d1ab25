"""The analysis of a conversation through the gateway."""

import copy

import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key
from tests.support.scripted_calls import read_calls

PATH = "/api/v1/nlp/conversation"
pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)


def test_moments_rules_and_a_replay_through_the_gateway(stack: Stack) -> None:
    call = read_calls()[7]
    document = {"segments": call.segments, "roles": call.roles, "language": "en"}
    with client_of(stack) as client:
        answer = client.post(f"{PATH}/inference", json=document)
        assert answer.status_code == 200, answer.text
        first = answer.json()
        assert first["moments"][0]["rule_id"] in call.top
        assert first["degraded"] == []

        rules = client.get(f"{PATH}/rules").json()
        own = copy.deepcopy(rules["document"])
        own["lists"]["competitors"] = call.competitors
        written = client.put(f"{PATH}/rules", json=own)
        assert written.status_code == 200, written.text
        version = written.json()["version"]
        assert client.get(f"{PATH}/rules/{version}").json() == written.json()

        replayed = client.post(f"{PATH}/{first['id']}/replay", json={"rules": {"version": version}})
        moments = replayed.json()["moments"]
        quotes = [one["quote"] for one in moments if one["rule_id"] == "competitor_mention"]
        assert [any(name in quote for name in call.competitors) for quote in quotes] == [True, True]
        assert {one["rule_version"] for one in moments} == {version}
        assert client.get(f"{PATH}/{first['id']}").json()["segments"] == first["segments"]


def test_a_key_that_may_only_analyze_changes_no_rules(stack: Stack) -> None:
    made = make_key(stack, "--name", "analyst", "--scope", "nlp:infer", "--scope", "nlp:read")
    with client_of(stack, made["key"]) as client:
        rules = client.get(f"{PATH}/rules")
        assert rules.status_code == 200
        refused = client.put(f"{PATH}/rules", json=rules.json()["document"])
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert client.delete(f"{PATH}/rules").status_code == 405
