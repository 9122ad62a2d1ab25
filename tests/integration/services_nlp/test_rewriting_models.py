"""`itn` and `punctuation` by models of one's own, on the real server."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.triton import TritonServer
from services.nlp.settings import NlpSettings

CONFIG = """
name: "{name}"
backend: "python"
max_batch_size: 64
input [
  {{ name: "INPUT_TEXT" data_type: TYPE_STRING dims: [ 1 ] }},
  {{ name: "LANG_ID" data_type: TYPE_STRING dims: [ 1 ] }}
]
output [ {{ name: "OUTPUT_TEXT" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
parameters {{ key: "languages" value {{ string_value: "en,hi" }} }}
"""
MODEL = """
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
        texts, languages = tensors["INPUT_TEXT"], tensors["LANG_ID"]
        written = [
            b"NAME:" + language + b":" + text
            for text, language in zip(texts.flat, languages.flat)
        ]
        output = np.array(written, dtype=np.object_).reshape(texts.shape)
        return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT_TEXT", output)])
"""


@pytest.fixture(scope="module")
def own_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    repository = tmp_path_factory.mktemp("repository")
    for name in ("my_itn", "my_marks"):
        version = repository / name / "1"
        version.mkdir(parents=True)
        (repository / name / "config.pbtxt").write_text(CONFIG.format(name=name))
        (version / "model.py").write_text(MODEL.replace("NAME", name))
    server = TritonServer(repository, tmp_path_factory.mktemp("own"), models=["my_itn", "my_marks"])
    server.start()
    yield server
    server.close()


def test_named_models_take_the_place_of_the_rules(
    settings: NlpSettings, serve: Any, own_models: TritonServer
) -> None:
    settings = settings.model_copy(
        update={
            "triton_url": own_models.grpc_url,
            "itn_model": "my_itn",
            "punctuation_model": "my_marks",
        }
    )
    texts = [f"text {number}" for number in range(70)]
    with serve(settings) as app, app.client() as client:
        for task, model in (("itn", "my_itn"), ("punctuation", "my_marks")):
            path = f"/api/v1/nlp/{task}/inference"
            answer = client.post(path, json=body(texts, "hi")).json()
            assert [item["target"] for item in answer["output"]] == [
                f"{model}:hi:{text}" for text in texts
            ]
            stored = client.get(f"/api/v1/nlp/requests/{answer['id']}").json()
            assert (stored["model"], stored["taskType"]) == (model, task)
            problem = client.post(path, json=body(texts, "ta")).json()
            assert (problem["code"], problem["served"]) == ("unsupported_language", ["en", "hi"])
        own_models.kill()
        assert client.post(path, json=body(texts, "hi")).status_code == 503


def body(texts: list[str], language: str) -> dict[str, Any]:
    return {
        "input": [{"source": text} for text in texts],
        "config": {"language": {"sourceLanguage": language}},
    }
