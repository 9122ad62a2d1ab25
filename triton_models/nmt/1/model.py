"""Triton glue of the `nmt` model; the work is in nmt_engine.py."""

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import triton_python_backend_utils as pb_utils
from nmt_engine import Translator
from nmt_text import ClientError, EngineError, check_pair


class TritonPythonModel:
    """One instance, one pipeline a language pair."""

    def initialize(self, args: Dict[str, str]) -> None:
        """See which pairs are installed; none fails the load with a name."""
        parameters = json.loads(args["model_config"])["parameters"]
        values = {key: value["string_value"] for key, value in parameters.items()}
        try:
            self.translator = Translator(
                values["languages"].split(","),
                Path(values["modes_dir"]),
                float(values["sentence_timeout_s"]),
            )
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Translate the sentences of all requests, pair by pair, in few exchanges."""
        inputs: List[Any] = []
        wanted: Dict[str, List[Tuple[int, int, bytes]]] = {}
        for number, request in enumerate(requests):
            try:
                inputs.append(self._sentences(request))
                for place, (pair, text) in enumerate(inputs[-1]):
                    wanted.setdefault(pair, []).append((number, place, text))
            except Exception as error:  # noqa: BLE001 - must not fail its batch
                inputs.append(error)
        results: List[List[Any]] = [[None] * len(i) if isinstance(i, list) else [i] for i in inputs]
        for pair, items in wanted.items():
            outcomes = self.translator.translate(pair, [text for _, _, text in items])
            for (number, place, _), outcome in zip(items, outcomes, strict=True):
                results[number][place] = outcome
        return [self._reply(outcomes) for outcomes in results]

    def _sentences(self, request: Any) -> List[Tuple[str, bytes]]:
        """Return the (pair, text) of one request, or raise ClientError."""
        tensors = {tensor.name(): list(tensor.as_numpy().flat) for tensor in request.inputs()}
        texts = tensors["INPUT_TEXT"]
        languages = list(
            zip(tensors["INPUT_LANGUAGE_ID"], tensors["OUTPUT_LANGUAGE_ID"], strict=True)
        )
        # Mostly one and the same.
        pairs = {both: check_pair(*both, self.translator.pairs) for both in set(languages)}
        return [(pairs[both], text) for both, text in zip(languages, texts, strict=True)]

    def _reply(self, outcomes: List[Any]) -> Any:
        """One response: all texts of a request, or its first error."""
        for error in outcomes:
            if isinstance(error, Exception):
                code, message = pb_utils.TritonError.INTERNAL, "internal error"
                if isinstance(error, ClientError):
                    code, message = pb_utils.TritonError.INVALID_ARG, str(error)
                elif isinstance(error, EngineError):
                    code, message = pb_utils.TritonError.UNAVAILABLE, str(error)
                else:
                    # The name only: a message could quote the input.
                    pb_utils.Logger.log_error(f"nmt: {type(error).__name__}")
                return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
        output = np.array([text.encode() for text in outcomes], dtype=np.object_).reshape(-1, 1)
        return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT_TEXT", output)])

    def finalize(self) -> None:
        """Stop the pipelines."""
        self.translator.close()
