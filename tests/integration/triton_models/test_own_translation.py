"""The model folder for translation weights of one's own, with tiny ones on the real server."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tritonclient.utils import InferenceServerException

from deploy.local.triton import TritonServer
from tests.integration.triton_models.conftest import Client
from tests.support.model_folders import MODELS, write_model

ROOT = MODELS.parent
PYTHON = ROOT / ".venv-triton/bin/python"
SOURCE = "nmt_ctranslate2"
KINDS = ("nllb", "fast", "marian", "tagged", "indictrans")
# On a server.
WORKING = {"nllb": {"languages": "en-hi,en-es,hi-en"}}
BROKEN = {
    "unset": ({"languages": "en-es"}, "variable SPEECHGATE_NMT_CTRANSLATE2_PATH is not set"),
    "cut": ({"languages": "en-es"}, "do not load"),
}
# By themselves: weights, parameters, what to translate, and what comes of it.
CASES: tuple[tuple[str, dict[str, str], tuple[str, str], str], ...] = (
    ("fast", {"languages": "en-es"}, ("en", "es"), "casa 7"),
    ("marian", {"languages": "en-es"}, ("en", "es"), "casa 7"),
    ("tagged", {"languages": "en-es,en-hi"}, ("en", "es"), "casa 7"),
    ("tagged", {"languages": "en-es,en-hi"}, ("en", "hin_Deva"), "घर 7"),
    ("indictrans", {"languages": "en-ta"}, ("eng_Latn", "tam_Taml"), "கர 7"),
    ("nllb", {"languages": "en-hi,en-ta"}, ("en", "hi"), "weights do not know ta"),
    ("marian", {"languages": "en-es,es-en"}, ("en", "es"), "translate one pair only"),
    ("subwords", {"languages": "en-es"}, ("en", "es"), r"is no model of sentencepiece"),
    ("nllb", {"family": "indictrans"}, ("en", "hi"), r"without model\.SRC"),
    ("nllb", {"compute_type": "float99"}, ("en", "hi"), "do not load"),
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    script = ROOT / "tests/support/tiny_translation.py"
    subprocess.run([PYTHON, script, folder, *KINDS], check=True, timeout=60)
    shutil.copytree(folder / "nllb", folder / "cut")
    whole = (folder / "cut" / "model.bin").read_bytes()
    (folder / "cut" / "model.bin").write_bytes(whole[: len(whole) // 2])
    shutil.copytree(folder / "nllb", folder / "subwords")
    (folder / "subwords" / "sentencepiece.bpe.model").write_text("nothing of the kind")
    return folder


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    repository = tmp_path_factory.mktemp("repository")
    shutil.copytree(MODELS / "sentiment", repository / "sentiment")
    for name, parameters in WORKING.items():
        # Such weights have no use for fewer bits.
        exact = {"compute_type": "float32", "path": str(weights / name)}
        write_model(repository, name, SOURCE, {**exact, **parameters})
    for name, (parameters, _) in BROKEN.items():
        path = {"path": str(weights / name)} if (weights / name).exists() else {}
        write_model(repository, name, SOURCE, {**path, **parameters})
    made = TritonServer(
        repository, tmp_path_factory.mktemp("triton"), extra=[*WORKING, *BROKEN], instances=1
    )
    made.start(120)
    yield made
    made.close()


@pytest.fixture
async def own(server: TritonServer) -> AsyncIterator[Client]:
    made = Client(server.grpc_url)
    yield made
    await made.grpc.close()


async def translate(client: Client, model: str, pair: str, *texts: str) -> list[str]:
    source, target = pair.split("-")
    found = await client.infer(
        model,
        INPUT_TEXT=list(texts),
        INPUT_LANGUAGE_ID=[source] * len(texts),
        OUTPUT_LANGUAGE_ID=[target] * len(texts),
    )
    return [text.decode() for text in found[:, 0]]


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("en-hi", "घर 7"),
        ("eng_Latn-hin_Deva", "घर 7"),
        ("en-es", "casa 7"),
        ("hi-en", "house 7"),
    ],
)
async def test_pairs(own: Client, pair: str, expected: str) -> None:
    assert await translate(own, "nllb", pair, "the house 7") == [expected]


def test_each_family_and_what_is_wrong_with_weights(weights: Path) -> None:
    given = [
        {
            "path": str(weights / kind),
            "compute_type": "float32",
            "languages": "en-hi",
            **parameters,
            "translate": [*pair, "the house 7"],
        }
        for kind, parameters, pair, _ in CASES
    ]
    command = [PYTHON, ROOT / "tests/support/load_weights.py", SOURCE, json.dumps(given)]
    done = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE)
    for (kind, _, _, expected), answer in zip(CASES, json.loads(done.stdout), strict=True):
        assert re.search(expected, answer), (kind, answer)


async def test_a_batch_keeps_order_over_pairs(own: Client) -> None:
    numbers = [number % 10 for number in range(90)]
    targets = ["hi" if number % 3 else "spa_Latn" for number in range(90)]
    found = await own.infer(
        "nllb",
        INPUT_TEXT=[f"the house {number}" for number in numbers],
        INPUT_LANGUAGE_ID=["en"] * 90,
        OUTPUT_LANGUAGE_ID=targets,
    )
    words = {"hi": "घर", "spa_Latn": "casa"}
    expected = [f"{words[code]} {number}" for code, number in zip(targets, numbers, strict=True)]
    assert [text.decode() for text in found[:, 0]] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \n", " \n"),
        ("house 1\n\n house 2 ", "casa 1\n\n casa 2 "),
        ("house 3 . 4 house", "casa 3 casa 4"),
        # Too many words for one sentence: cut in two, and each is translated.
        ("house 5 " * 120, "casa 5 casa 5 "),
    ],
)
async def test_texts_of_all_kinds(own: Client, text: str, expected: str) -> None:
    assert await translate(own, "nllb", "en-es", text) == [expected]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"INPUT_LANGUAGE_ID": "fr"}, "unsupported_language: .*en-es"),
        ({"OUTPUT_LANGUAGE_ID": "hi_Latn"}, "unsupported_language: .*en-es"),
        ({"OUTPUT_LANGUAGE_ID": "$(id)"}, "unsupported_language: .*en-es"),
        ({"INPUT_TEXT": "a\0b"}, "invalid_text:"),
        ({"INPUT_TEXT": b"\xc3("}, "invalid_text:"),
        ({"INPUT_TEXT": "a" * 5001}, "text_too_long:"),
        ({"INPUT_TEXT": ["a"] * 91}, "batch"),
    ],
)
async def test_bad_requests(own: Client, values: dict[str, Any], message: str) -> None:
    request = {"INPUT_TEXT": "hi", "INPUT_LANGUAGE_ID": "en", "OUTPUT_LANGUAGE_ID": "es", **values}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await own.infer("nllb", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


@pytest.mark.parametrize("model", BROKEN)
async def test_a_load_that_fails_says_why(server: TritonServer, own: Client, model: str) -> None:
    notes = [line for line in server.log.read_text().splitlines() if line.startswith("launcher: ")]
    (note,) = (note for note in notes if note.startswith(f"launcher: {model} is not served: "))
    assert re.search(BROKEN[model][1], note), note
    assert server.client.state(model) != "READY"
    assert (await own.infer("sentiment", INPUT_TEXT="fine", LANG_ID="en")).size == 1
