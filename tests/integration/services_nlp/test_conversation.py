import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from deploy.local.triton import TritonServer
from services.nlp.settings import NlpSettings
from tests.support.live_app import LiveApp, until
from tests.support.moment_scores import found_by_rules, segments_of
from tests.support.scripted_calls import ScriptedCall, read_calls

PATH = "/api/v1/nlp/conversation"
INFERENCE, RULES = f"{PATH}/inference", f"{PATH}/rules"
CALLS = read_calls()


def body(call: ScriptedCall = CALLS[9], **changes: Any) -> dict[str, Any]:
    return {"segments": call.segments, "roles": call.roles, "language": "en", **changes}


def line(**changes: Any) -> dict[str, Any]:
    return {"speaker": "A", "start": 0, "end": 1, "text": "Hello.", **changes}


def post(client: httpx.Client, document: dict[str, Any], path: str = INFERENCE) -> dict[str, Any]:
    response = client.post(path, json=document)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def write(client: httpx.Client, document: dict[str, Any]) -> dict[str, Any]:
    response = client.put(RULES, json=document)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture(scope="module")
def builtin(app: LiveApp) -> dict[str, Any]:
    with app.client("nlp:read", tenant="nobody") as client:
        answer = client.get(RULES).json()
    assert (answer["version"], answer["created_at"]) == ("builtin-1", None)
    document: dict[str, Any] = answer["document"]
    return document


def test_a_call_on_the_real_model(app: LiveApp) -> None:
    call = CALLS[9]
    with app.client("nlp:infer", tenant="plain") as client:
        answer = post(client, body())
        again = post(client, body())
    assert answer["degraded"] == []
    assert [one["sentiment"]["score"] for one in answer["segments"]] == call.scores
    assert [one["text"] for one in answer["segments"]] == [one["text"] for one in call.segments]
    assert answer["sentiment"]["label"] in {"positive", "neutral", "negative"}
    top = answer["moments"][0]
    assert (top["rule_id"], top["rule_version"], top["severity"]) == (
        *("forbidden_promise", "builtin-1", "critical"),
    )
    assert top["quote"] == call.segments[top["segment"]]["text"]
    assert top["advice"].endswith(".")
    # Nothing but the id of the request differs.
    assert json.dumps({**answer, "id": ""}) == json.dumps({**again, "id": ""})


def test_the_scores_of_all_scripts_are_the_models(app: LiveApp) -> None:
    with app.client("nlp:infer") as client:
        for call in CALLS:
            answer = post(client, body(call))
            assert [one["sentiment"]["score"] for one in answer["segments"]] == call.scores
            expected = found_by_rules(call, segments_of(call)).moments
            found = [(one["rule_id"], one["segment"]) for one in answer["moments"]]
            # The product's rules name no competitor.
            assert found == [
                (one.rule_id, one.segment)
                for one in expected
                if one.rule_id != "competitor_mention"
            ]


def test_roles_are_guessed_where_none_are_given(app: LiveApp) -> None:
    document = body()
    del document["roles"]
    with app.client("nlp:infer") as client:
        answer = post(client, document)
        nobody = post(client, {"segments": [line(), line(speaker="B", start=1, end=2)]})
    assert {one["speaker"]: one["role"] for one in answer["roles"]} == CALLS[9].roles
    assert {one["source"] for one in answer["roles"]} == {"guessed"}
    assert {one["role"] for one in nobody["roles"]} == {"unknown"}
    assert {one["reason"] for one in nobody["skipped"]} == {"role_unknown"}


def test_a_tenants_own_rules_and_a_replay_by_others(app: LiveApp, builtin: dict[str, Any]) -> None:
    document = copy.deepcopy(builtin)
    document["lists"]["competitors"] = ["Deskwise"]
    (rule,) = (one for one in document["rules"] if one["id"] == "slow_response")
    rule["longer_than_s"] = 30
    with app.client(tenant="own") as client:
        before = post(client, body())
        written = write(client, document)
        assert written["version"] == "1"
        assert write(client, document) == written  # The same again is no new version.
        after = post(client, body())
        document["rules"] = []
        assert write(client, document)["version"] == "2"
        assert client.get(RULES).json()["version"] == "2"
        assert client.get(f"{RULES}/1").json() == written
        assert client.get(f"{RULES}/builtin-1").json()["document"] == builtin
        named = post(client, body(rules={"version": "1"}))
        replay = f"{PATH}/{before['id']}/replay"
        assert post(client, {"rules": {"version": "builtin-1"}}, replay) == before
        assert post(client, {"rules": {"version": "1"}}, replay)["moments"] == after["moments"]
        assert post(client, {}, replay)["moments"] == []
        stored = client.get(f"{PATH}/{before['id']}").json()
    assert stored["segments"] == before["segments"]
    assert (stored["rules"], stored["moments"]) == (before["rules"], len(before["moments"]))
    assert named["moments"] == after["moments"]
    found = [[one["rule_id"] for one in answer["moments"]] for answer in (before, after)]
    assert "slow_response" in found[0]
    assert "slow_response" not in found[1]
    assert {one["rule_version"] for one in after["moments"]} == {"1"}


def test_another_tenant_sees_nothing_of_it(app: LiveApp, builtin: dict[str, Any]) -> None:
    with app.client(tenant="first") as client:
        answer = post(client, body())
        write(client, {**builtin, "name": "Ours"})
    with app.client(tenant="second") as client:
        for response in (
            client.get(f"{PATH}/{answer['id']}"),
            client.post(f"{PATH}/{answer['id']}/replay", json={}),
            client.get(f"{RULES}/1"),
        ):
            assert response.status_code == 404
            assert "Ours" not in response.text
        assert client.get(RULES).json()["document"] == builtin
        unknown = client.post(INFERENCE, json=body(rules={"version": "1"}))
        assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_rules_version")


def test_words_that_may_not_be_kept_are_not(app: LiveApp) -> None:
    with app.client() as client:
        answer = post(client, body(controlConfig={"dataTracking": False}))
        stored = client.get(f"{PATH}/{answer['id']}").json()
        assert (stored["status"], stored["segments"], stored["roles"]) == ("succeeded", [], {})
        assert client.post(f"{PATH}/{answer['id']}/replay", json={}).status_code == 404


def test_versions_that_are_written_at_once_are_all_kept(
    app: LiveApp, builtin: dict[str, Any]
) -> None:
    with app.client(tenant="busy") as client, ThreadPoolExecutor(6) as workers:
        documents = [{**builtin, "name": f"Rules {number}"} for number in range(6)]
        answers = list(workers.map(lambda one: client.put(RULES, json=one), documents))
        written = {one.json()["version"]: one.json() for one in answers if one.status_code == 200}
        refused = [one.json()["code"] for one in answers if one.status_code != 200]
        assert set(refused) <= {"rules_changed"}
        assert sorted(written) == [str(number + 1) for number in range(len(written))]
        for version, answer in written.items():
            assert client.get(f"{RULES}/{version}").json() == answer


@pytest.mark.parametrize(
    ("wrong", "status", "code", "pointer"),
    [
        ({}, 422, "validation_failed", "/segments"),
        ({"segments": []}, 422, "empty_text", "/segments"),
        ({"segments": [line()] * 10_000}, 422, "too_many_segments", "/segments"),
        ({"segments": [line(), line(start=-1)]}, 422, "validation_failed", "/segments/1/start"),
        ({"segments": [line(start=2)]}, 422, "invalid_time", "/segments/0/end"),
        ({"segments": [line(end="1")]}, 422, "validation_failed", "/segments/0/end"),
        ({"segments": [line(end=1e9)]}, 422, "validation_failed", "/segments/0/end"),
        ({"segments": [line(end=True)]}, 422, "validation_failed", "/segments/0/end"),
        ({"segments": [line(text=None)]}, 422, "validation_failed", "/segments/0/text"),
        ({"segments": [line(text="a" * 5_001)]}, 413, "text_too_long", "/segments/0/text"),
        ({"segments": [line(text="a" * 4_999)] * 61}, 413, "text_too_long", "/segments"),
        ({"segments": [line(text="\x00")]}, 422, "empty_text", "/segments"),
        ({"segments": [line(speaker="")]}, 422, "validation_failed", "/segments/0/speaker"),
        ({"segments": [line(speaker="a\n")]}, 422, "validation_failed", "/segments/0/speaker"),
        ({"segments": [line()], "roles": {"A": "boss"}}, 422, "validation_failed", "/roles/A"),
        ({"segments": [line()], "roles": {"B": "agent"}}, 422, "unknown_speaker", "/roles"),
        ({"segments": [line()], "language": "English"}, 422, "validation_failed", "/language"),
        (
            {"segments": [line()], "rules": {"version": "../1"}},
            *(422, "validation_failed", "/rules/version"),
        ),
        (
            {"segments": [line()], "rules": {"version": "7"}},
            *(422, "unknown_rules_version", "/rules/version"),
        ),
    ],
)
def test_each_wrong_request_has_its_code(
    app: LiveApp, wrong: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    with app.client() as client:
        response = client.post(INFERENCE, json=wrong)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1e999", "1e400"])
def test_numbers_that_are_none(app: LiveApp, number: str) -> None:
    raw = json.dumps({"segments": [line(end=7_777)]}).replace("7777", number)
    with app.client() as client:
        response = client.post(INFERENCE, content=raw)
    assert response.status_code in {400, 422}
    assert response.json()["code"] in {"invalid_json", "validation_failed"}


def test_order_overlap_and_odd_texts_are_taken_as_they_are(app: LiveApp) -> None:
    segments = [
        line(start=5, end=9, text="Second\x00 \u202eone."),
        line(start=0, end=6, text="First one."),
        line(speaker="B", start=6, end=6, text=""),
    ]
    with app.client() as client:
        answer = post(client, {"segments": segments})
        assert [one["start"] for one in answer["segments"]] == [5, 0, 6]
        assert answer["segments"][0]["text"] == "Second one."
        assert answer["metrics"]["speakers"][0]["talk_seconds"] == 9
        replayed = post(client, {}, f"{PATH}/{answer['id']}/replay")
    assert replayed == answer


def test_the_longest_conversation_is_answered(app: LiveApp) -> None:
    words = "it is too um expensive for us and we have no time " * 2
    segments = [
        line(speaker="AB"[index % 2], start=index, end=index + 1.5, text=words.strip())
        for index in range(2_000)
    ]
    with app.client() as client:
        answer = post(client, {"segments": segments, "roles": {"A": "agent", "B": "customer"}})
    assert len(answer["segments"]) == 2_000
    counts: dict[str, int] = {}
    for moment in answer["moments"]:
        counts[moment["rule_id"]] = counts.get(moment["rule_id"], 0) + 1
    assert counts["objection_price"] == counts["objection_time"] == 10


def test_wrong_rules_are_refused_with_their_places(app: LiveApp, builtin: dict[str, Any]) -> None:
    document = copy.deepcopy(builtin)
    document["rules"][0]["longer_than_s"] = -5
    document["lists"]["price"].append("* euros")
    with app.client(tenant="wrong") as client:
        response = client.put(RULES, json=document)
        assert (response.status_code, response.json()["code"]) == (422, "invalid_rules")
        assert response.json()["errors"][0]["pointer"] == "/rules/0/longer_than_s"
        document["rules"][0]["longer_than_s"] = 5
        response = client.put(RULES, json=document)
        last = len(document["lists"]["price"]) - 1
        assert response.json()["errors"][0]["pointer"] == f"/lists/price/{last}"
        assert client.get(RULES).json()["version"] == "builtin-1"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", INFERENCE, "nlp:read"),
        ("GET", RULES, "nlp:infer"),
        ("PUT", RULES, "nlp:read"),
        ("GET", f"{RULES}/builtin-1", "nlp:infer"),
        ("GET", f"{PATH}/{'0' * 32}", "nlp:infer"),
        ("POST", f"{PATH}/{'0' * 32}/replay", "nlp:infer"),
    ],
)
def test_scopes(app: LiveApp, method: str, path: str, scope: str) -> None:
    with app.client(scope) as client:
        response = client.request(method, path, json=body())
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
    assert httpx.request(method, app.url + path, json=body()).status_code == 401


def test_without_the_model_the_rules_still_come(
    settings: NlpSettings, serve: Any, triton: TritonServer
) -> None:
    with serve(settings) as app, app.client() as client:
        whole = post(client, body())
        triton.kill()
        try:
            answer = post(client, body())
        finally:
            triton.restart()
        assert answer["degraded"] == [{"step": "sentiment", "reason": "inference_unavailable"}]
        assert answer["sentiment"] is None
        assert {one["sentiment"] for one in answer["segments"]} == {None}
        assert answer["skipped"] == [{"rule_id": "negative_turn", "reason": "sentiment_missing"}]
        # Those that need no sentiment are found just the same.
        assert answer["moments"] == [
            one for one in whole["moments"] if one["rule_id"] != "negative_turn"
        ]
        until(lambda: not post(client, body())["degraded"], timeout_s=10)
        assert "speechgate_nlp_conversation_degraded_total" in client.get("/metrics").text
