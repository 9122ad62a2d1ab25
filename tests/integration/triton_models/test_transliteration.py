"""The transliteration model on the real server."""

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException


async def suggest(
    client: Any, pair: str, *texts: str, word: bool = False, top_k: int = 1
) -> list[list[str]]:
    source, target = pair.split("-")
    found = await client.infer(
        "transliteration",
        INPUT_TEXT=list(texts),
        INPUT_LANGUAGE_ID=[source] * len(texts),
        OUTPUT_LANGUAGE_ID=[target] * len(texts),
        IS_WORD_LEVEL=np.array([word] * len(texts)),
        TOP_K=np.array([top_k] * len(texts), np.uint8),
    )
    return [json.loads(text) for text in found[:, 0]]


@pytest.mark.parametrize(
    ("pair", "text", "expected"),
    [
        ("en-hi", "namaste", "नमस्ते"),
        ("en-hi", "mera naam ravi hai.", "मेरा नाम रवी है."),
        ("en-bn", "bAMlA", "বাংলা"),
        ("en-ta", "rAman", "ராமன்"),
        ("en-te", "telugu", "తెలుగు"),
        ("en-ml", "malayalam", "മലയലം"),
        ("en-gu", "gujarati", "ગુજરાતી"),
        ("en-as", "asamiya", "অসমিয়া"),
        ("en-pa", "punjabi", "ਪੁੰਜਾਬੀ"),
        ("hi-en", "नमस्ते दुनिया, १२।", "namaste duniya, 12."),
        ("ta-en", "வணக்கம்", "vanakkam"),
        ("hi-te", "नमस्ते", "నమస్తే"),
        ("hi-ta", "भारत", "பாரத"),
        ("bn-hi", "বাংলা", "बांला"),
        ("bn-en", "বাংলাদেশ", "bangladesh"),
        ("ta-hi", "சென்னை", "चेन्नै"),
        ("kn-hi", "ಬೆಂಗಳೂರು", "बेंगळूरु"),
    ],
)
async def test_texts(client: Any, pair: str, text: str, expected: str) -> None:
    assert await suggest(client, pair, text) == [[expected]]


async def test_every_pair_of_the_configuration(client: Any) -> None:
    config = (await client.grpc.get_model_config("transliteration", as_json=True))["config"]
    pairs = [p.split("-") for p in config["parameters"]["languages"]["string_value"].split(",")]
    assert len(pairs) == 210
    # "kama" in each script, made by the model itself, back and forth.
    scripts = {target for _, target in pairs} - {"en"}
    made = {code: (await suggest(client, f"en-{code}", "kAmA"))[0][0] for code in scripts}
    made["en"] = "kama"
    for start in range(0, len(pairs), 90):
        rows = pairs[start : start + 90]
        found = await client.infer(
            "transliteration",
            INPUT_TEXT=[made[source] for source, _ in rows],
            INPUT_LANGUAGE_ID=[source for source, _ in rows],
            OUTPUT_LANGUAGE_ID=[target for _, target in rows],
        )
        for (source, target), text in zip(rows, found[:, 0], strict=True):
            (suggestion,) = json.loads(text)
            if target == "en":
                assert suggestion == "kama", source
            elif source != "en":
                assert suggestion == made[target], (source, target)


async def test_suggestions_of_a_word(client: Any) -> None:
    (found,) = await suggest(client, "en-hi", "bharat", word=True, top_k=5)
    assert found[0] == "भरत"
    assert "भारत" in found
    assert len(found) == len(set(found)) == 5
    for pair, word, wanted in (
        ("en-bn", "bangla", "বাংলা"),
        ("en-ta", "vanakkam", "வணக்கம்"),
        ("en-kn", "kannada", "ಕನ್ನಡ"),
    ):
        (several,) = await suggest(client, pair, word, word=True, top_k=10)
        assert wanted in several
    (one,) = await suggest(client, "en-hi", "bharat", top_k=5)
    assert one == ["भरत"]
    (latin,) = await suggest(client, "hi-en", "दूरी", word=True, top_k=10)
    assert latin[:3] == ["duri", "dooree", "dūrī"]


@pytest.mark.parametrize("text", ["", "  ", "12 ☃ 😀", "абв", "<b>&amp;</b>", "a" * 5000, "'-._"])
async def test_odd_texts_lose_nothing(client: Any, text: str) -> None:
    ((found,),) = await suggest(client, "hi-en", text)
    assert found == text


async def test_a_long_word_is_bounded(client: Any) -> None:
    ((found,),) = await suggest(client, "en-hi", "k" * 5000)
    assert 5000 <= len(found) <= 10_000


async def test_requests_batched_together_fail_alone(client: Any) -> None:
    async def one(number: int) -> str:
        pair = "en-xx" if number % 3 == 0 else "en-hi"
        return (await suggest(client, pair, f"ram {number}"))[0][0]

    found = await asyncio.gather(*(one(number) for number in range(30)), return_exceptions=True)
    for number, outcome in enumerate(found):
        if number % 3 == 0:
            assert isinstance(outcome, InferenceServerException)
            assert outcome.status() == "StatusCode.INVALID_ARGUMENT"
        else:
            assert outcome == f"रम {number}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"INPUT_LANGUAGE_ID": "fr"}, "unsupported_language: .*en-hi"),
        ({"OUTPUT_LANGUAGE_ID": "en"}, "unsupported_language: .*en-hi"),
        ({"INPUT_TEXT": "a\0b"}, "invalid_text:"),
        ({"INPUT_TEXT": b"\xc3("}, "invalid_text:"),
        ({"INPUT_TEXT": "a" * 5001}, "text_too_long:"),
        ({"TOP_K": np.array([21], np.uint8)}, "invalid_parameter: TOP_K"),
        ({"INPUT_TEXT": ["a"] * 91}, "batch"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    request = {"INPUT_TEXT": "hi", "INPUT_LANGUAGE_ID": "en", "OUTPUT_LANGUAGE_ID": "hi", **values}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("transliteration", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
