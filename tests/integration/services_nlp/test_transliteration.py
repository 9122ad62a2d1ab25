from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

# Which database it is makes no difference here.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
PATH = "/api/v1/nlp/transliteration/inference"
ULCA = "/services/inference/transliteration"


def body(*texts: str, source: str = "en", target: str = "hi", **config: Any) -> dict[str, Any]:
    language = {"sourceLanguage": source, "targetLanguage": target}
    return {
        "input": [{"source": text} for text in texts],
        "config": {"language": language, **config},
    }


def post(app: LiveApp, document: dict[str, Any], path: str = PATH) -> httpx.Response:
    with app.client("nlp:infer") as client:
        return client.post(path, json=document)


def targets(app: LiveApp, *texts: str, **config: Any) -> list[list[str]]:
    answer = post(app, body(*texts, **config))
    assert answer.status_code == 200, answer.text
    return [item["target"] for item in answer.json()["output"]]


def test_running_text_keeps_its_layout_and_placeholders(app: LiveApp) -> None:
    (made,), (empty,), _ = targets(app, "  namaste {name},\n\tbharat! 42\n", "", "mera ghar")
    assert made.startswith("  ")
    assert made.endswith("! 42\n")
    assert "{name},\n\t" in made
    assert "namaste" not in made
    assert empty == ""


def test_words_have_suggestions(app: LiveApp) -> None:
    (one,) = targets(app, "namaste", isSentence=False, numSuggestions=1)
    (more,) = targets(app, "namaste", isSentence=False, numSuggestions=5)
    assert len(one) == 1
    assert one[0] == more[0]
    assert 1 < len(more) <= 5
    assert len(set(more)) == len(more)


@pytest.mark.parametrize(
    ("source", "target", "text", "expected"),
    [("hi", "en", "भारत", "bharat"), ("hi", "ta", "भारत", "பாரத"), ("en", "bn", "ami", "অমি")],
)
def test_pairs(app: LiveApp, source: str, target: str, text: str, expected: str) -> None:
    ((made, *_),) = targets(
        app, text, source=source, target=target, isSentence=False, numSuggestions=5
    )
    assert made.lower()[:3] == expected[:3]


def test_ninety_texts_keep_their_order(app: LiveApp) -> None:
    made = targets(app, *(f"namaste {number}" for number in range(90)))
    assert [one[0].split()[-1] for one in made] == [str(number) for number in range(90)]


def test_the_answers_of_both_paths(app: LiveApp) -> None:
    document = body("namaste", isSentence=False, numSuggestions=3)
    native, ulca = (
        post(app, document).json(),
        post(app, document, f"{ULCA}?serviceId=default").json(),
    )
    assert set(native) == {"id", "taskType", "output", "config", "usage", "timings"}
    assert set(ulca) == {"taskType", "output", "config"}
    assert native["taskType"] == ulca["taskType"] == "transliteration"
    assert native["output"] == ulca["output"]
    assert ulca["config"] == {**document["config"], "serviceId": "default"}


def test_it_is_stored_for_its_tenant_only(app: LiveApp) -> None:
    answer = post(app, body("namaste", isSentence=False))
    assert answer.headers["x-sg-model-used"] == "default"
    path = f"/api/v1/nlp/requests/{answer.json()['id']}"
    with app.client("nlp:read") as client:
        stored = client.get(path).json()
    assert (stored["taskType"], stored["language"]) == ("transliteration", "en-hi")
    assert stored["output"][0]["finding"] == answer.json()["output"][0]["target"]
    with app.client("nlp:read", tenant="another") as client:
        assert client.get(path).status_code == 404


def test_a_chosen_version_answers(app: LiveApp) -> None:
    with app.client("nlp:infer") as client:
        answer = client.post(PATH, json=body("ghar"), headers={"X-SG-Model": "transliteration/1"})
    assert answer.headers["x-sg-model-used"] == "variant"


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        (body(), 422, "empty_text"),
        (body(" "), 422, "empty_text"),
        (body("a" * 5_001), 413, "text_too_long"),
        (body(*"a" * 91), 422, "too_many_items"),
        (body("a", target="fr"), 422, "unsupported_language"),
        (body("a", serviceId="none"), 422, "unknown_model"),
        (body("a", numSuggestions=21), 422, "validation_failed"),
        (body("a", numSuggestions=-1), 422, "validation_failed"),
        (body("a", isSentence="yes"), 422, "validation_failed"),
    ],
)
def test_what_is_refused(app: LiveApp, wrong: dict[str, Any], status: int, code: str) -> None:
    answer = post(app, wrong)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    ulca = post(app, wrong, ULCA)
    assert ulca.status_code == status
    assert set(ulca.json()) == {"detail"}
    assert ulca.json()["detail"]["kind"] == code


def test_pairs_come_from_the_model(app: LiveApp) -> None:
    with app.client("nlp:infer") as client:
        pairs = client.get("/api/v1/nlp/transliteration/languages").json()["pairs"]
    assert {("en", "hi"), ("hi", "ta")} <= {
        (pair["sourceLanguage"], pair["targetLanguage"]) for pair in pairs
    }


def test_metrics(app: LiveApp) -> None:
    targets(app, "ghar")
    text = httpx.get(f"{app.url}/metrics").text
    assert 'speechgate_nlp_characters_total{language="en-hi",task="transliteration"}' in text
