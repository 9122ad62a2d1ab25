# ruff: noqa: RUF001 - other scripts are detected here
from typing import Any

import pytest

from tests.support.live_app import LiveApp

SENTIMENT = "/api/v1/nlp/sentiment/inference"
DETECTION = "/api/v1/nlp/language-detection/inference"


def post(app: LiveApp, path: str, texts: list[str], language: str | None = None) -> dict[str, Any]:
    document: dict[str, Any] = {"input": [{"source": text} for text in texts]}
    if language:
        document["config"] = {"language": {"sourceLanguage": language}}
    with app.client("nlp:infer") as client:
        response = client.post(path, json=document)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_sentiment(app: LiveApp) -> None:
    texts = ["I love this wonderful day!", "This is a horrible failure.", "It is a table."]
    answer = post(app, SENTIMENT, texts, "en")
    assert answer["taskType"] == "sentiment"
    assert [item["source"] for item in answer["output"]] == texts
    labels = [item["sentiment"]["label"] for item in answer["output"]]
    assert labels == ["positive", "negative", "neutral"]
    for item in answer["output"]:
        sentiment = item["sentiment"]
        assert -1 <= sentiment["score"] <= 1
        shares = sentiment["positive"] + sentiment["neutral"] + sentiment["negative"]
        assert shares == pytest.approx(1, abs=0.01)


def test_more_texts_than_one_batch_of_the_model(app: LiveApp) -> None:
    texts = ["Good!" if number % 3 else "Bad!" for number in range(90)]
    answer = post(app, SENTIMENT, texts, "en")
    labels = [item["sentiment"]["label"] for item in answer["output"]]
    assert labels == ["positive" if number % 3 else "negative" for number in range(90)]


def test_language_detection(app: LiveApp) -> None:
    texts = ["Where is the station?", "आप कैसे हैं?", "آپ کیسے ہیں؟ میں ٹھیک ہوں۔", "42"]
    answer = post(app, DETECTION, texts)
    assert answer["taskType"] == "language-detection"
    found = [item["langPrediction"][0]["langCode"] for item in answer["output"]]
    assert found == ["en", "hi", "ur", "und"]
    assert 0.9 < answer["output"][0]["langPrediction"][0]["langScore"] <= 1


def test_long_texts_are_detected_too(app: LiveApp) -> None:
    answer = post(app, DETECTION, ["La casa es roja y el coche es azul. " * 130] * 20)
    assert {item["langPrediction"][0]["langCode"] for item in answer["output"]} == {"es"}


@pytest.mark.parametrize("path", [SENTIMENT, DETECTION])
def test_both_are_stored_for_their_tenant_only(app: LiveApp, path: str) -> None:
    answer = post(app, path, ["A fine day.", "A bad day."], "en" if path == SENTIMENT else None)
    stored = f"/api/v1/nlp/requests/{answer['id']}"
    with app.client("nlp:read") as client:
        document = client.get(stored).json()
    assert document["taskType"] == answer["taskType"]
    assert document["items"] == 2
    assert [item["source"] for item in document["output"]] == ["A fine day.", "A bad day."]
    if path == SENTIMENT:
        assert document["output"][0]["finding"] == answer["output"][0]["sentiment"]
    with app.client("nlp:read", tenant="another") as client:
        assert client.get(stored).status_code == 404
