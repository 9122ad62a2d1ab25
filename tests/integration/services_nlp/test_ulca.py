"""The paths of ULCA's clients give what the native ones give, in ULCA's shapes."""

from typing import Any

import pytest

from tests.support.live_app import LiveApp

# Which database it is makes no difference here.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TRANSLATION = "/services/inference/translation"
DETECTION = "/services/inference/txt-lang-detection"


def body(*texts: Any, target: str = "es", **config: Any) -> dict[str, Any]:
    # As Dhruva's own pages send it.
    language = {
        "sourceLanguage": "en",
        "targetLanguage": target,
        "sourceScriptCode": "",
        "targetScriptCode": "",
    }
    return {
        "input": [{"source": text} for text in texts],
        "config": {"language": language, **config},
        "controlConfig": {"dataTracking": True},
    }


def test_translation(app: LiveApp) -> None:
    document = body("The house is red.", "It is old.")
    with app.client("nlp:infer") as client:
        native = client.post("/api/v1/nmt/inference", json=document).json()
        answer = client.post(f"{TRANSLATION}?serviceId=nmt", json=document)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-sg-model-used"] == "pinned"
    ulca = answer.json()
    assert set(ulca) == {"taskType", "output", "config"}
    assert ulca["taskType"] == "translation"
    assert ulca["output"] == native["output"]
    assert ulca["config"] == {**document["config"], "serviceId": "nmt"}


def test_language_detection(app: LiveApp) -> None:
    document = body("Where is the station?", "¿Dónde está la estación?")
    with app.client("nlp:infer") as client:
        native = client.post("/api/v1/nlp/language-detection/inference", json=document).json()
        ulca = client.post(DETECTION, json=document).json()
    assert set(ulca) == {"taskType", "output"}
    assert ulca["taskType"] == "txt-lang-detection"
    assert ulca["output"] == native["output"]
    assert [item["langPrediction"][0]["langCode"] for item in ulca["output"]] == ["en", "es"]


@pytest.mark.parametrize(
    ("path", "document", "status", "kind"),
    [
        (TRANSLATION, body("a", target="fr"), 422, "unsupported_language"),
        (TRANSLATION, body("a" * 5_001), 413, "text_too_long"),
        (TRANSLATION, body(5), 422, "validation_failed"),
        (f"{TRANSLATION}?serviceId=none", body("a"), 422, "unknown_model"),
        (DETECTION, {"input": []}, 422, "empty_text"),
    ],
)
def test_errors(app: LiveApp, path: str, document: dict[str, Any], status: int, kind: str) -> None:
    with app.client("nlp:infer") as client:
        answer = client.post(path, json=document)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}
    assert answer.json()["detail"]["kind"] == kind
    assert answer.json()["detail"]["message"]


@pytest.mark.parametrize("path", [TRANSLATION, DETECTION])
def test_scopes(app: LiveApp, path: str) -> None:
    with app.client("nlp:read") as client:
        answer = client.post(path, json=body("a"))
    assert (answer.status_code, answer.json()["detail"]["kind"]) == (403, "scope_missing")
