"""The nmt model on the real server, with real Apertium pipelines."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tritonclient.utils import InferenceServerException

from deploy.local.triton import TritonServer

HOUSE = ("The house is big.", "La casa es grande.")


async def translate(client: Any, pair: str, *texts: str) -> list[str]:
    source, target = pair.split("-")
    found = await client.infer(
        "nmt",
        INPUT_TEXT=list(texts),
        INPUT_LANGUAGE_ID=[source] * len(texts),
        OUTPUT_LANGUAGE_ID=[target] * len(texts),
    )
    return [text.decode() for text in found[:, 0]]


@pytest.mark.parametrize(
    ("pair", "text", "expected"),
    [
        ("en-es", *HOUSE),
        ("es-en", "La casa es grande.", "The house is big."),
        ("en-ca", "The house is big.", "La casa és gran."),
        ("ca-en", "La casa és gran.", "The home is big."),
        ("hi-ur", "यह मेरा घर है।", "یہ میرا گھر ہے۔"),  # noqa: RUF001
        ("ur-hi", "یہ میرا گھر ہے۔", "ये मेरा घर है।"),  # noqa: RUF001
    ],
)
async def test_every_pair(client: Any, pair: str, text: str, expected: str) -> None:
    assert await translate(client, pair, text) == [expected]


async def test_every_configured_pair_is_served(client: Any) -> None:
    config = (await client.grpc.get_model_config("nmt", as_json=True))["config"]
    for pair in config["parameters"]["languages"]["string_value"].split(","):
        assert await translate(client, pair, "2") == ["2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  ", "  "),
        ("house", "Casa"),
        ("xyzzyish", "xyzzyish"),
        ("^house<n><sg>$ {a} [b] @c \\d /e ~f *g +h #i", None),
        ("[[t:b:1]]house[[/]]", "[[t:b:1]]casa[[/]]"),
        ("one\n\ntwo", "Uno\n\nDos"),
        ("-z --help; $(id)", None),
        ("\\", "\\"),
        ("$5 / 10%", "$5 / 10%"),
    ],
)
async def test_texts_of_all_kinds(client: Any, text: str, expected: str | None) -> None:
    (found,) = await translate(client, "en-es", text)
    if expected is not None:
        assert found == expected
    reserved = "^$/<>{}\\@[]~*#+"
    assert [c for c in found if c in reserved] == [c for c in text if c in reserved]
    assert await translate(client, "en-es", HOUSE[0]) == [HOUSE[1]]  # nothing is shifted


async def test_a_batch_keeps_order_over_pairs(client: Any) -> None:
    texts = [f"The house number {number} is big." for number in range(89)]
    found = await client.infer(
        "nmt",
        INPUT_TEXT=[*texts, "La casa es grande."],
        INPUT_LANGUAGE_ID=["en"] * 89 + ["es"],
        OUTPUT_LANGUAGE_ID=["es"] * 89 + ["en"],
    )
    expected = [f"El número de casa {number} es grande." for number in range(89)]
    assert [text.decode() for text in found[:, 0]] == [*expected, "The house is big."]


async def test_requests_batched_together_fail_alone(client: Any) -> None:
    async def one(number: int) -> str:
        bad = number % 3 == 0
        return (await translate(client, "en-xx" if bad else "en-es", f"{number} dogs"))[0]

    found = await asyncio.gather(*(one(number) for number in range(60)), return_exceptions=True)
    for number, outcome in enumerate(found):
        if number % 3 == 0:
            assert isinstance(outcome, InferenceServerException)
            assert outcome.status() == "StatusCode.INVALID_ARGUMENT"
        else:
            assert isinstance(outcome, str)
            assert outcome.startswith(str(number))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"INPUT_LANGUAGE_ID": "fr"}, "unsupported_language: .*en-es"),
        ({"OUTPUT_LANGUAGE_ID": "es\n"}, "unsupported_language: .*en-es"),
        ({"OUTPUT_LANGUAGE_ID": "$(id)"}, "unsupported_language: .*en-es"),
        ({"INPUT_TEXT": "a\0b"}, "invalid_text:"),
        ({"INPUT_TEXT": b"\xc3("}, "invalid_text:"),
        ({"INPUT_TEXT": "a" * 5001}, "text_too_long:"),
        ({"INPUT_TEXT": ["a"] * 91}, "batch"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    request = {"INPUT_TEXT": "hi", "INPUT_LANGUAGE_ID": "en", "OUTPUT_LANGUAGE_ID": "es", **values}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("nmt", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


async def test_dead_and_stuck_stages_are_replaced(client: Any, triton: TritonServer) -> None:
    await asyncio.gather(*(translate(client, "en-es", HOUSE[0]) for _ in range(8)))
    for number in (signal.SIGKILL, signal.SIGSTOP):
        stages = [stage for pid in triton.stub_pids("nmt") for stage in _children(pid)]
        assert len(stages) >= 11  # the pipeline of one direction at least
        for stage in stages[::4]:
            os.kill(stage, number)
        for _ in range(4):  # both instances
            assert await translate(client, "en-es", HOUSE[0]) == [HOUSE[1]]


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
