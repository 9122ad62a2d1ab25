"""Triton glue of the `transliteration` model; the work is in transliteration_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from transliteration_engine import Transliterator
from transliteration_text import ClientError, EngineError, check_pair, check_topk


class TritonPythonModel:
    """One instance."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load the scripts; a missing package fails the load with its name."""
        parameters = json.loads(args["model_config"])["parameters"]
        try:
            self.engine = Transliterator(parameters["languages"]["string_value"].split(","))
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): list(tensor.as_numpy().flat) for tensor in request.inputs()}
            count = len(tensors["INPUT_TEXT"])
            rows = zip(
                tensors["INPUT_TEXT"],
                tensors["INPUT_LANGUAGE_ID"],
                tensors["OUTPUT_LANGUAGE_ID"],
                tensors.get("IS_WORD_LEVEL", [False] * count),
                tensors.get("TOP_K", [1] * count),
                strict=True,
            )
            texts = [self._suggest(*row) for row in rows]
            output = np.array(texts, dtype=np.object_).reshape(-1, 1)
            return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT_TEXT", output)])
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"transliteration: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))

    def _suggest(self, text: bytes, one: bytes, other: bytes, word: Any, topk: Any) -> bytes:
        """One row as JSON."""
        source, target = check_pair(one, other, self.engine.pairs)
        found = self.engine.transliterate(
            source, target, text, check_topk(int(topk)), word_level=bool(word)
        )
        return json.dumps(found, ensure_ascii=False).encode()
