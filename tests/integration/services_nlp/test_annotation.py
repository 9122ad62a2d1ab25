"""Entities, personal data, key phrases, summaries and rewriting by the running service."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.nlp.settings import NlpSettings
from shared.text.pii.find import find_pii
from tests.support.live_app import LiveApp

NER, ULCA_NER = "/api/v1/nlp/ner/inference", "/services/inference/ner"
PII, KEYWORDS = "/api/v1/nlp/pii/inference", "/api/v1/nlp/keywords/inference"
SUMMARY, ITN = "/api/v1/nlp/summary/inference", "/api/v1/nlp/itn/inference"
PUNCTUATION, SENTIMENT = "/api/v1/nlp/punctuation/inference", "/api/v1/nlp/sentiment/inference"
ALL = [NER, ULCA_NER, PII, KEYWORDS, SUMMARY, ITN, PUNCTUATION]
CARD, MAIL = "4111 1111 1111 1111", "john dot doe at gmail dot com"
CALL = f"My name is John Smith, my card is {CARD} and my mail is {MAIL}."


def body(*texts: Any, language: Any = "en", **config: Any) -> dict[str, Any]:
    return {
        "input": [{"source": text} for text in texts],
        "config": {"language": {"sourceLanguage": language}, **config},
    }


def post(app: LiveApp, path: str, document: dict[str, Any], tenant: str = "tenant") -> Any:
    with app.client("nlp:infer", tenant=tenant) as client:
        response = client.post(path, json=document)
    assert response.status_code == 200, response.text
    return response.json()


def stored(app: LiveApp, answer: dict[str, Any]) -> Any:
    with app.client("nlp:read") as client:
        response = client.get(f"/api/v1/nlp/requests/{answer['id']}")
        assert response.status_code == 200, response.text
    with app.client("nlp:read", tenant="another") as client:
        assert client.get(f"/api/v1/nlp/requests/{answer['id']}").status_code == 404
    return response.json()


def test_sentiment_of_each_sentence(app: LiveApp) -> None:
    text = "I love this phone.  The battery is horrible!\nIt is blue."
    answer = post(app, SENTIMENT, body(text, "Fine"))
    found = answer["output"][0]["sentiment"]
    said = [(text[one["start"] : one["end"]], one["label"]) for one in found["segments"]]
    assert said == [
        ("I love this phone.", "positive"),
        ("The battery is horrible!", "negative"),
        ("It is blue.", "neutral"),
    ]
    assert len(answer["output"][1]["sentiment"]["segments"]) == 1
    assert stored(app, answer)["output"][0]["finding"] == found
    whole = post(app, SENTIMENT, body(text, perSegment=False))["output"][0]["sentiment"]
    assert whole == {**found, "segments": []}


def test_thousands_of_sentences_are_judged_in_bounded_groups(app: LiveApp) -> None:
    answer = post(app, SENTIMENT, body(*["So good! " * 550] * 20))
    for item in answer["output"]:
        assert 0 < len(item["sentiment"]["segments"]) <= 100
        assert {one["label"] for one in item["sentiment"]["segments"]} == {"positive"}


def test_entities(app: LiveApp) -> None:
    text = "\u200bJohn Smith paid $5 to Acme Corp in Paris on 3 May 2024."
    answer = post(app, NER, body(text))
    assert answer["taskType"] == "ner"
    found = [(one["type"], one["text"]) for one in answer["output"][0]["entities"]]
    assert found == [
        ("PERSON", "John Smith"),
        ("MONEY", "$5"),
        ("ORGANIZATION", "Acme Corp"),
        ("LOCATION", "Paris"),
        ("DATE", "3 May 2024"),
    ]
    for one in answer["output"][0]["entities"]:
        assert text[one["start"] : one["end"]] == one["text"]
    document = stored(app, answer)
    assert (document["taskType"], document["model"]) == ("ner", "rules")
    assert [one["kind"] for one in document["output"][0]["finding"]] == [kind for kind, _ in found]


def test_the_ulca_dialect_tags_the_same_entities(app: LiveApp) -> None:
    text = "John Smith is in New York."
    answer = post(app, ULCA_NER, body(text))
    assert answer["taskType"] == "ner"
    tokens = answer["output"][0]["nerPrediction"]
    assert [(one["token"], one["tag"]) for one in tokens] == [
        ("John", "B-PER"),
        ("Smith", "I-PER"),
        ("is", "O"),
        ("in", "O"),
        ("New", "B-LOC"),
        ("York", "I-LOC"),
        (".", "O"),
    ]
    assert [one["tokenIndex"] for one in tokens] == list(range(7))
    for one in tokens:
        assert text[one["tokenStartIndex"] : one["tokenEndIndex"]] == one["token"]
    entities = post(app, NER, body(text))["output"][0]["entities"]
    begun = [one["tokenStartIndex"] for one in tokens if one["tag"][0] == "B"]
    assert begun == [one["start"] for one in entities]


def test_redaction(app: LiveApp) -> None:
    answer = post(app, PII, body(CALL))
    item = answer["output"][0]
    assert item["redacted"] == (
        "My name is [PERSON], my card is [CREDIT_CARD] and my mail is [EMAIL]."
    )
    for one in item["entities"]:
        assert item["redacted"][one["redactedStart"] : one["redactedEnd"]] == f"[{one['kind']}]"
    assert [CALL[one["start"] : one["end"]] for one in item["entities"]] == [
        "John Smith",
        CARD,
        MAIL,
    ]


def test_of_a_redacted_text_nothing_else_is_stored(
    settings: NlpSettings, serve: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Rules need no inference server, so that there is none here."""
    settings = settings.model_copy(update={"log_level": "debug", "triton_url": "127.0.0.1:9"})
    hidden = ("John Smith", CARD, MAIL, "a salt that nobody knows")
    with serve(settings) as app:
        for path in ALL:
            assert post(app, path, body("It is late."))["output"]
        answer = post(app, PII, body(CALL, salt=hidden[3], policy={"default": "hash"}))
        kept = stored(app, answer)
        assert kept["output"][0]["source"] == answer["output"][0]["redacted"]
        with app.client() as client:
            refused = client.post(PII, json=body(CALL, salt="too short"))
            unserved = client.post(PII, json=body(CALL, language="hi"))
            metrics = client.get("/metrics").text
    assert 'speechgate_nlp_findings_total{kind="CREDIT_CARD",task="pii"} 1.0' in metrics
    said = capfd.readouterr()
    shown = [refused.text, unserved.text, metrics, str(kept), str(answer), said.out, said.err]
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    for secret in hidden:
        assert not any(secret in text for text in shown), secret
        assert not any(secret.encode() in content for content in files), secret


def test_policies_and_salts(app: LiveApp) -> None:
    policy = {"default": "mask", "PERSON": "keep", "EMAIL": "hash"}
    salted = body(CALL, policy=policy, salt="s" * 16)
    first, again = (post(app, PII, salted)["output"][0]["redacted"] for _ in range(2))
    assert first.startswith("My name is John Smith, my card is **** **** **** **** and my mail is ")
    assert first == again
    other = post(app, PII, salted, tenant="another")["output"][0]["redacted"]
    drawn, once = (
        post(app, PII, body(CALL, policy=policy))["output"][0]["redacted"] for _ in range(2)
    )
    assert len({first, other, drawn, once}) == 4
    same = post(app, PII, body(CALL, CALL, policy=policy))["output"]
    assert same[0] == same[1]


def test_key_phrases_and_summary(app: LiveApp) -> None:
    text = (
        "The battery life is poor. I waited a day. Battery life matters to all customers."
        " The shop closes late. Customers ask about battery life."
    )
    found = post(app, KEYWORDS, body(text, maxKeywords=2))
    best = found["output"][0]["keywords"][0]
    assert best["keyword"] == "battery life"
    assert best["count"] == 3
    assert text[best["places"][2]["start"] : best["places"][2]["end"]] == "battery life"
    assert stored(app, found)["output"][0]["finding"][0]["text"] == "battery life"
    made = post(app, SUMMARY, body(text, sentences=1))["output"][0]
    assert "attery life" in made["summary"]
    [sentence] = made["sentences"]
    assert text[sentence["start"] : sentence["end"]] == made["summary"] == sentence["text"]
    assert len(post(app, SUMMARY, body(text, ratio=0.6))["output"][0]["sentences"]) == 3
    assert post(app, KEYWORDS, body("मानसून की बारिश", language="hi"))["output"][0]["keywords"]


def test_rewriting_by_rules(app: LiveApp) -> None:
    written = post(app, ITN, body("it costs five hundred dollars\n\ncall at three thirty p m"))
    assert written["taskType"] == "itn"
    assert written["output"][0]["target"] == "it costs $500\n\ncall at 3:30 p.m."
    marked = post(app, PUNCTUATION, body("how are you", "i am in paris\nokay"))
    assert [item["target"] for item in marked["output"]] == [
        "How are you?",
        "I am in paris.\nOkay.",
    ]
    document = stored(app, marked)
    assert (document["taskType"], document["model"]) == ("punctuation", "rules")


def test_long_texts(app: LiveApp) -> None:
    texts = ["1 " * 2_500, "my name is John Smith " * 220, "4111 1111 1111 1111 " * 250]
    for path in ALL:
        assert len(post(app, path, body(*texts))["output"]) == 3
    redacted = post(app, PII, body(*texts))["output"]
    assert not find_pii(redacted[2]["redacted"])


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"input": [], "config": {"language": {"sourceLanguage": "en"}}}, 422, "empty_text"),
        (body(" \x00"), 422, "empty_text"),
        (body("a" * 5_001), 413, "text_too_long"),
        (body(*["a" * 4_900] * 30), 413, "text_too_long"),
        (body(*["a"] * 91), 422, "too_many_items"),
        (body("a", language="xx"), 422, "unsupported_language"),
        (body("a", language="English"), 422, "validation_failed"),
        (body(5), 422, "validation_failed"),
        ({"input": [{"source": "a"}]}, 422, "validation_failed"),
    ],
)
def test_bad_input(app: LiveApp, path: str, wrong: dict[str, Any], status: int, code: str) -> None:
    with app.client() as client:
        response = client.post(path, json=wrong)
    assert response.status_code == status, response.text
    document = response.json()
    assert (document["code"] if path != ULCA_NER else document["detail"]["kind"]) == code


@pytest.mark.parametrize(
    ("path", "config"),
    [
        (PII, {"policy": {"NOTHING": "label"}}),
        (PII, {"policy": {"EMAIL": "burn"}}),
        (PII, {"salt": "short"}),
        (PII, {"minConfidence": 2}),
        (KEYWORDS, {"maxKeywords": 0}),
        (KEYWORDS, {"maxKeywords": 101}),
        (SUMMARY, {"sentences": 0}),
        (SUMMARY, {"ratio": 0}),
        (SUMMARY, {"ratio": 0.5, "sentences": 2}),
        (SENTIMENT, {"perSegment": "no"}),
    ],
)
def test_bad_configuration(app: LiveApp, path: str, config: dict[str, Any]) -> None:
    with app.client() as client:
        response = client.post(path, json=body("a", **config))
    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")


def test_unsupported_languages_list_what_is_served(app: LiveApp) -> None:
    with app.client() as client:
        for path, served in ((NER, ["en"]), (PII, ["en"]), (KEYWORDS, ["en", "es", "hi"])):
            problem = client.post(path, json=body("a", language="ta")).json()
            assert problem["served"] == served


@pytest.mark.parametrize("path", ALL)
def test_scope_and_identity(app: LiveApp, path: str) -> None:
    with app.client("nlp:read") as client:
        assert client.post(path, json=body("a")).status_code == 403
    assert httpx.post(app.url + path, json=body("a")).status_code == 401


def test_unseen_characters_are_stored_by_both_databases(app: LiveApp) -> None:
    for path in (NER, SENTIMENT, ITN):
        text = "Hello\x00 John\u0007 Smith.\U0001f600"
        answer = post(app, path, body(text))
        assert answer["output"][0]["source"] == text
        kept = stored(app, answer)
        assert kept["status"] == "succeeded"
        assert kept["output"][0]["source"] == text.replace("\x00", "\ufffd")
