# ruff: noqa: RUF001 - other scripts are translated here
from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

PATH = "/api/v1/nmt/inference"


def body(*texts: str, source: str = "en", target: str = "es", **config: Any) -> dict[str, Any]:
    languages = {"sourceLanguage": source, "targetLanguage": target}
    return {
        "input": [{"source": text} for text in texts],
        "config": {"language": languages, **config},
    }


def translate(app: LiveApp, *texts: str, **config: Any) -> dict[str, Any]:
    with app.client("nlp:infer") as client:
        response = client.post(PATH, json=body(*texts, **config))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_the_answer_has_the_members_of_ulca_and_ours(app: LiveApp) -> None:
    answer = translate(app, "Good morning.", serviceId="nmt")
    assert set(answer) == {
        *("id", "taskType", "output", "config", "usage", "timings", "degraded"),
    }
    assert answer["taskType"] == "translation"
    assert answer["output"][0]["source"] == "Good morning."
    assert "días" in answer["output"][0]["target"]
    language = answer["config"]["language"]
    assert (language["sourceLanguage"], language["targetLanguage"]) == ("en", "es")
    assert answer["config"]["serviceId"] == "nmt"
    assert answer["usage"] == {"characters": 13}
    assert answer["degraded"] == []


def test_order_and_layout_are_kept(app: LiveApp) -> None:
    source = "  The house is red.  The car is blue.\r\n\n\t- one\n---\n 42\n"
    answer = translate(app, source, "", "The cat sleeps.", source)
    targets = [item["target"] for item in answer["output"]]
    assert [item["source"] for item in answer["output"]] == [source, "", "The cat sleeps.", source]
    assert targets[0] == targets[3]
    assert targets[1] == ""
    assert "gato" in targets[2]
    assert targets[0].startswith("  La casa")
    assert targets[0].endswith("\n---\n 42\n")
    assert "\r\n\n\t" in targets[0]
    assert "  El coche" in targets[0]


@pytest.mark.parametrize(
    ("source", "target", "text", "expected"),
    [
        ("es", "en", "La casa es roja.", "house"),
        ("en", "ca", "The house is red.", "casa"),
        ("ca", "en", "El gat dorm.", "cat"),
        ("hi", "ur", "यह मेरा घर है।", "گھر"),
        ("ur", "hi", "یہ میرا گھر ہے۔", "घर"),
        ("en-US", "es", "The house is red.", "casa"),
    ],
)
def test_pairs(app: LiveApp, source: str, target: str, text: str, expected: str) -> None:
    answer = translate(app, text, source=source, target=target)
    assert expected in answer["output"][0]["target"]


def test_ninety_texts_of_many_sentences(app: LiveApp) -> None:
    texts = [f"House number {item} is red. The car {item} is blue." for item in range(90)]
    answer = translate(app, *texts)
    assert len(answer["output"]) == 90
    for item, output in enumerate(answer["output"]):
        assert output["source"] == texts[item]
        assert output["target"].count(str(item)) >= 2


def test_batching_changes_no_translation(app: LiveApp) -> None:
    texts = [f"The house number {item} is very old." for item in range(20)]
    together = [item["target"] for item in translate(app, *texts)["output"]]
    alone = [translate(app, text)["output"][0]["target"] for text in texts[:5]]
    assert together[:5] == alone


def test_a_request_is_stored_for_its_tenant_only(app: LiveApp) -> None:
    answer = translate(app, "The house is red. It is old.", "Yes.")
    path = f"/api/v1/nmt/requests/{answer['id']}"
    with app.client("nlp:read") as client:
        document = client.get(path).json()
    assert document["status"] == "succeeded"
    assert document["output"] == answer["output"]
    assert (document["items"], document["sentences"]) == (2, 3)
    with app.client("nlp:read", tenant="another") as client:
        assert client.get(path).status_code == 404


def test_a_nul_costs_no_stored_request(app: LiveApp) -> None:
    answer = translate(app, "The house\0 is red.\0", "Yes.")
    assert answer["output"][0]["source"] == "The house\0 is red.\0"
    assert answer["output"][0]["target"] == "La casa es roja."
    with app.client("nlp:read") as client:
        stored = client.get(f"/api/v1/nmt/requests/{answer['id']}").json()
    assert stored["output"][0]["source"] == "The house\ufffd is red.\ufffd"
    assert stored["output"][0]["target"] == answer["output"][0]["target"]
    assert stored["output"][1] == answer["output"][1]


def test_pairs_come_from_the_model(app: LiveApp) -> None:
    with app.client("nlp:infer") as client:
        pairs = client.get("/api/v1/nmt/languages").json()["pairs"]
    found = {(pair["sourceLanguage"], pair["targetLanguage"]) for pair in pairs}
    assert {("en", "es"), ("hi", "ur")} <= found


def test_metrics(app: LiveApp) -> None:
    translate(app, "Counted.")
    text = httpx.get(f"{app.url}/metrics").text
    assert 'speechgate_nlp_characters_total{language="en-es",task="translation"}' in text
    assert 'speechgate_nlp_batch_size_count{task="translation"}' in text
