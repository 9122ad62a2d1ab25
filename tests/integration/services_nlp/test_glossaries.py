from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.nlp.settings import NlpSettings
from shared.db.base import new_id
from tests.support.live_app import LiveApp

PATH = "/api/v1/nmt/glossaries"
NMT = "/api/v1/nmt/inference"
NEW = {"sourceLanguage": "en", "targetLanguage": "es", "terms": {"gateway": "pasarela"}}
MISSING = {"code": "glossary_not_found", "detail": "There is no such glossary."}


@pytest.fixture
def tenant() -> str:
    return new_id()


@pytest.fixture
def client(app: LiveApp, tenant: str) -> Iterator[httpx.Client]:
    with app.client(tenant=tenant) as client:
        yield client


def target(client: httpx.Client, source: str, **config: Any) -> str:
    language = {"sourceLanguage": "en", "targetLanguage": "es"}
    body = {"input": [{"source": source}], "config": {"language": language, **config}}
    answer = client.post(NMT, json=body)
    assert answer.status_code == 200, answer.text
    made: str = answer.json()["output"][0]["target"]
    return made


def test_the_life_of_a_glossary(client: httpx.Client) -> None:
    assert client.get(PATH).json() == {"glossaries": []}
    made = client.post(PATH, json=NEW)
    assert made.status_code == 201, made.text
    document = made.json()
    place = f"{PATH}/{document['id']}"
    assert document["terms"] == NEW["terms"]
    assert "pasarela" in target(client, "The gateway is red.")

    assert client.post(PATH, json=NEW).json()["code"] == "glossary_exists"
    changed = client.patch(place, json={"terms": {"red": "carmesí", "door": "portón"}}).json()
    assert (changed["termCount"], changed["createdAt"]) == (3, document["createdAt"])
    assert changed["updatedAt"] > document["updatedAt"]
    assert "carmesí" in target(client, "The gateway is red.")
    changed = client.patch(place, json={"terms": {"gateway": None}}).json()
    assert set(changed["terms"]) == {"red", "door"}
    assert "pasarela" not in target(client, "The gateway is red.")
    replaced = client.put(place, json={"terms": {"house": "morada"}}).json()
    assert client.get(place).json() == replaced
    assert target(client, "The house is red.") == "El morada es rojo."
    (listed,) = client.get(PATH).json()["glossaries"]
    assert "terms" not in listed
    assert listed["termCount"] == 1

    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
    assert target(client, "The house is red.") == "La casa es roja."


def test_a_request_has_the_last_word(client: httpx.Client) -> None:
    client.post(PATH, json={**NEW, "terms": {"house": "morada"}})
    assert target(client, "The house.") == "El morada."
    assert target(client, "The house.", glossary={"house": "vivienda"}) == "El vivienda."
    assert target(client, "The house.", tenantGlossary=False) == "La casa."
    assert target(
        client, "<p>The <b>house</b>.</p>", format="html", glossary={"house": "a & b"}
    ) == ("<p>El <b>a &amp; b</b>.</p>")


def test_a_glossary_is_its_tenants_alone(app: LiveApp, client: httpx.Client) -> None:
    made = client.post(PATH, json={**NEW, "terms": {"house": "morada"}}).json()
    place = f"{PATH}/{made['id']}"
    with app.client(tenant=new_id()) as other:
        assert other.get(PATH).json() == {"glossaries": []}
        for answer in (
            other.get(place),
            other.put(place, json={"terms": {}}),
            other.patch(place, json={"terms": {"a": "b"}}),
            other.delete(place),
        ):
            assert answer.status_code == 404
            assert {name: answer.json()[name] for name in MISSING} == MISSING
        assert target(other, "The house.") == "La casa."
        assert other.post(PATH, json=NEW).status_code == 201
    assert target(client, "The house.") == "El morada."


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({**NEW, "terms": {"": "x"}}, 422, "validation_failed"),
        ({**NEW, "terms": {"a" * 101: "x"}}, 422, "validation_failed"),
        ({**NEW, "terms": {"a": "x" * 201}}, 422, "validation_failed"),
        ({**NEW, "terms": {"--": "x"}}, 422, "validation_failed"),
        ({**NEW, "terms": {"a\nb": "x"}}, 422, "validation_failed"),
        ({**NEW, "terms": {"a": None}}, 422, "validation_failed"),
        ({**NEW, "sourceLanguage": "English"}, 422, "validation_failed"),
        ({**NEW, "terms": {f"a{n}": "x" for n in range(2_001)}}, 409, "too_many_terms"),
        ({**NEW, "terms": {f"a{n}": "x" for n in range(10_001)}}, 422, "validation_failed"),
        ({"terms": {}}, 422, "validation_failed"),
    ],
)
def test_what_is_refused(
    client: httpx.Client, wrong: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(PATH, json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_as_many_as_a_tenant_may_have(settings: NlpSettings, serve: Any) -> None:
    with (
        serve(settings.model_copy(update={"glossary_max_count": 1})) as app,
        app.client() as client,
    ):
        assert client.post(PATH, json=NEW).status_code == 201
        other = {**NEW, "targetLanguage": "ca"}
        answer = client.post(PATH, json=other)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_glossaries")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", PATH, "nlp:infer"),
        ("POST", PATH, "nlp:read"),
        ("GET", f"{PATH}/{'0' * 32}", "nlp:infer"),
        ("PUT", f"{PATH}/{'0' * 32}", "nlp:read"),
        ("PATCH", f"{PATH}/{'0' * 32}", "nlp:infer"),
        ("DELETE", f"{PATH}/{'0' * 32}", "nlp:read"),
    ],
)
def test_scopes(app: LiveApp, method: str, path: str, scope: str) -> None:
    with app.client(scope) as client:
        answer = client.request(method, path, json=NEW)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_glossaries_of_requests_are_bounded(client: httpx.Client) -> None:
    language = {"sourceLanguage": "en", "targetLanguage": "es"}
    glossary = {f"a{n}": "x" for n in range(201)}
    body = {"input": [{"source": "a"}], "config": {"language": language, "glossary": glossary}}
    assert client.post(NMT, json=body).status_code == 422
