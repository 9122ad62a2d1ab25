"""Languages routed to models, and speech translated, with a second recognizer loaded."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.triton import TritonServer

ROOT = Path(__file__).resolve().parents[3]
SPANISH = """
import json
import numpy as np
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        reply = json.dumps({"text": "la casa es grande", "words": [], "confidence": 0.5})
        output = np.array([reply.encode()], dtype=np.object_)
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor("TRANSCRIPTS", output)]) for _ in requests
        ]
"""


@pytest.fixture(scope="module")
def routed(
    make_service: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """English by the embedded engine, Spanish by a model of somebody's own."""
    repository = tmp_path_factory.mktemp("models")
    for model in ("asr", "vad", "nmt"):
        shutil.copytree(ROOT / "triton_models" / model, repository / model)
    (repository / "spanish" / "1").mkdir(parents=True)
    (repository / "spanish" / "1" / "model.py").write_text(SPANISH)
    config = (repository / "asr" / "config.pbtxt").read_text()
    config = config.replace('name: "asr"', 'name: "spanish"').replace('"en"', '"es"')
    (repository / "spanish" / "config.pbtxt").write_text(config)
    triton = TritonServer(repository, tmp_path_factory.mktemp("triton"), instances=1)
    triton.start(60)
    yield make_service(
        triton_url=triton.grpc_url,
        asr_models={"default": "asr", "mine": "spanish", "gone": "absent"},
        asr_language_models={"es": "mine"},
        asr_openai_models={"whisper-1": "default", "whisper-es": "mine"},
    )
    triton.close()


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["output"][0]["source"]
    return found


def openai(routed: Any, path: str, content: bytes, **fields: str) -> httpx.Response:
    answer: httpx.Response = routed.client.post(
        f"/v1/audio/{path}",
        files={"file": ("a.wav", content)},
        data={"model": "whisper-1", **fields},
    )
    return answer


def test_the_language_chooses_the_model(routed: Any, short: bytes) -> None:
    assert text_of(routed.infer(short, language={"sourceLanguage": "es-MX"})) == "la casa es grande"
    english = routed.infer(short)
    assert text_of(english) != "la casa es grande"
    assert english.headers["x-sg-model-used"] == "default"


def test_a_named_model_goes_first(routed: Any, short: bytes) -> None:
    refused = routed.infer(short, language={"sourceLanguage": "es"}, serviceId="gone")
    assert refused.status_code == 503, "the named one is asked, and is not loaded"
    refused = routed.infer(short, serviceId="mine")
    assert (refused.status_code, refused.json()["code"]) == (422, "unsupported_language")
    assert "served: en (default), es (mine)." in refused.json()["detail"]


def test_a_model_that_is_not_loaded_takes_nothing_with_it(routed: Any) -> None:
    listed = routed.client.get("/api/v1/asr/languages").json()
    assert listed == {"languages": ["en", "es"], "services": {"default": ["en"], "mine": ["es"]}}
    health = routed.client.get("/health/detailed").json()
    assert health["status"] == "degraded"
    assert health["checks"]["models"]["status"] == "error"
    assert routed.client.get("/ready").status_code == 200


def test_speech_is_translated(routed: Any, short: bytes) -> None:
    spanish = openai(routed, "transcriptions", short, language="es").json()["text"]
    assert spanish == "la casa es grande"
    english = openai(routed, "translations", short, language="es").json()["text"]
    assert re.search("house", english, re.IGNORECASE)
    subtitles = openai(routed, "translations", short, language="es", response_format="srt").text
    assert english in subtitles
    by_name = openai(routed, "transcriptions", short, model="whisper-es", language="es").json()
    assert by_name["text"] == spanish


def test_settings_name_models_that_exist(make_service: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="no such serviceId in asr_models: nobody"):
        make_service(asr_language_models={"hi": "nobody"})
