"""Translation and transliteration through the gateway: dialects, glossaries, model choice."""

from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import admin_key, client_of, make_key

pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
PAIRS = {
    "/api/v1/nmt/inference": "/services/inference/translation",
    "/api/v1/nlp/transliteration/inference": "/services/inference/transliteration",
    "/api/v1/nlp/language-detection/inference": "/services/inference/txt-lang-detection",
}


def body(path: str) -> dict[str, Any]:
    target = "hi" if "transliteration" in path else "es"
    return {
        "input": [{"source": "namaste {name}"}],
        "config": {"language": {"sourceLanguage": "en", "targetLanguage": target}},
    }


@pytest.mark.parametrize(("native", "ulca"), PAIRS.items())
def test_both_paths_say_the_same(
    stack: Stack, client: httpx.Client, native: str, ulca: str
) -> None:
    one = client.post(native, json=body(native))
    assert one.status_code == 200, one.text
    headers = {"Authorization": admin_key(stack), "x-auth-source": "API_KEY"}
    with client_of(stack, "") as other:
        two = other.post(ulca, json=body(ulca), headers=headers)
        refused = other.post(ulca, json=body(ulca))
    assert two.status_code == 200, two.text
    assert two.json()["output"] == one.json()["output"]
    assert two.headers["x-model-variant"] == one.headers["x-model-variant"] == "default"
    assert refused.status_code == 401
    assert set(refused.json()["detail"]) == {"kind", "message"}


def test_a_glossary_changes_what_is_translated(stack: Stack, client: httpx.Client) -> None:
    made = client.post(
        "/api/v1/nmt/glossaries",
        json={"sourceLanguage": "en", "targetLanguage": "ca", "terms": {"house": "masia"}},
    )
    assert made.status_code == 201, made.text
    place = f"/api/v1/nmt/glossaries/{made.json()['id']}"
    try:
        document = {
            "input": [{"source": "The house of {name} is red."}],
            "config": {"language": {"sourceLanguage": "en", "targetLanguage": "ca"}},
        }
        target = client.post("/api/v1/nmt/inference", json=document).json()["output"][0]["target"]
        assert "masia" in target
        assert target.count("{name}") == 1
        reader = make_key(stack, "--name", "reader", "--scope", "nlp:read")
        with client_of(stack, reader["key"]) as limited:
            assert limited.get(place).status_code == 200
            assert limited.delete(place).status_code == 403
    finally:
        assert client.delete(place).status_code == 204
