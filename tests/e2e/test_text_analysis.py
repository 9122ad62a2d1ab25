"""Text analysis through the gateway."""

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key

pytestmark = pytest.mark.parametrize("stack", ["full"], indirect=True)
TEXT = "My name is John Smith. I love it! My card is four one one one one one one one one one one one one one one one."  # noqa: E501
TASKS = ("sentiment", "ner", "pii", "keywords", "summary", "itn", "punctuation")


def body(language: str = "en") -> dict[str, object]:
    return {"input": [{"source": TEXT}], "config": {"language": {"sourceLanguage": language}}}


def test_every_task_answers_and_can_be_read_again(client: httpx.Client) -> None:
    for task in TASKS:
        answer = client.post(f"/api/v1/nlp/{task}/inference", json=body())
        assert answer.status_code == 200, (task, answer.text)
        assert answer.json()["taskType"] == task
        stored = client.get(f"/api/v1/nlp/requests/{answer.json()['id']}")
        assert stored.json()["taskType"] == task
        if task == "pii":
            redacted = answer.json()["output"][0]["redacted"]
            assert redacted == "My name is [PERSON]. I love it! My card is [CREDIT_CARD]."
            assert stored.json()["output"][0]["source"] == redacted
            assert "John" not in stored.text


def test_the_dialects_refuse_in_their_own_shape(stack: Stack, client: httpx.Client) -> None:
    tags = client.post("/services/inference/ner?serviceId=ner", json=body()).json()
    assert [one["token"] for one in tags["output"][0]["nerPrediction"] if one["tag"] != "O"][
        :2
    ] == [
        "John",
        "Smith",
    ]
    ulca = client.post("/services/inference/ner", json=body("ta"))
    assert (ulca.status_code, ulca.json()["detail"]["kind"]) == (422, "unsupported_language")
    native = client.post("/api/v1/nlp/ner/inference", json=body("ta"))
    assert (native.status_code, native.json()["served"]) == (422, ["en"])
    listener = make_key(stack, "--name", "listener", "--scope", "asr:infer")
    with client_of(stack, listener["key"]) as other:
        assert other.post("/api/v1/nlp/pii/inference", json=body()).status_code == 403


def test_the_page_describes_every_task(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for task in TASKS:
        assert paths[f"/api/v1/nlp/{task}/inference"]["post"]["requestBody"]
    assert paths["/services/inference/ner"]["post"]["x-required-scope"] == "nlp:infer"
