"""Triton glue of the `sentiment` model; the work is in sentiment_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from sentiment_engine import ClientError, EngineError, Scorer, check_language, clean_text


class TritonPythonModel:
    """One instance, one lexicon."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load the lexicon; a missing engine fails the load with its name."""
        parameters = json.loads(args["model_config"])["parameters"]
        self.languages: List[str] = parameters["languages"]["string_value"].split(",")
        try:
            self.scorer = Scorer()
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            texts, languages = tensors["INPUT_TEXT"], tensors["LANG_ID"]
            for language in set(languages.flat):
                check_language(language, self.languages)
            results = [self.scorer.score(text) for text in [clean_text(raw) for raw in texts.flat]]
            replies = [json.dumps(result).encode() for result in results]
            output = np.array(replies, dtype=np.object_).reshape(texts.shape)
            return pb_utils.InferenceResponse([pb_utils.Tensor("SENTIMENT", output)])
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"sentiment: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
