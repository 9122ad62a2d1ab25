"""The sentiment model on the real server."""

import json
from typing import Any

import pytest
from tritonclient.utils import InferenceServerException


async def score(client: Any, *texts: str) -> list[dict[str, Any]]:
    found = await client.infer("sentiment", INPUT_TEXT=list(texts), LANG_ID=["en"] * len(texts))
    return [json.loads(item) for item in found[:, 0]]


async def test_labels(client: Any) -> None:
    texts = ["I love this!", "This is terrible.", "The table has four legs.", ""]
    found = await score(client, *texts)
    assert [item["label"] for item in found] == ["positive", "negative", "neutral", "neutral"]
    for item in found:
        assert -1 <= item["score"] <= 1
        shares = item["positive"] + item["neutral"] + item["negative"]
        assert shares == pytest.approx(1, abs=0.01)


async def test_a_long_text_weighs_its_sentences(client: Any) -> None:
    (mostly,) = await score(client, "It is wonderful. " * 300 + "It is awful. " * 100)
    assert mostly["label"] == "positive"
    assert 0 < mostly["score"] < 0.57  # one wonderful sentence alone scores 0.57


async def test_the_worst_text_is_scored_in_bounded_time(client: Any) -> None:
    found = await client.infer("sentiment", timeout=20, INPUT_TEXT="😀" * 20_000, LANG_ID="en")
    assert json.loads(found[0, 0])["label"] == "positive"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"LANG_ID": "es"}, "unsupported_language: en"),
        ({"LANG_ID": "en\n"}, "unsupported_language: en"),
        ({"INPUT_TEXT": "a\0"}, "invalid_text:"),
        ({"INPUT_TEXT": b"\xff"}, "invalid_text:"),
        ({"INPUT_TEXT": "a" * 20_001}, "text_too_long:"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("sentiment", **{"INPUT_TEXT": "hi", "LANG_ID": "en", **values})
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
