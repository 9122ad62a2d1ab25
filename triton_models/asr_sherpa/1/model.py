"""Triton glue of the `asr_sherpa` model; the work is in sherpa_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from sherpa_engine import Cancelled, ClientError, Recognizer, check_language, try_weights
from sherpa_weights import EngineError, Options, find_files


class TritonPythonModel:
    """One instance, its own recognizers."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load the weights; what is wrong with them fails the load in words."""
        try:
            self.options = Options.of(json.loads(args["model_config"])["parameters"])
            find_files(self.options)
            try_weights(self.options)
            self.recognizer = Recognizer(self.options)
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            language = check_language(tensors["LANG_ID"].flat[0], self.options.languages)
            topk = int(tensors["TOPK"].flat[0]) if "TOPK" in tensors else 1
            pcm = tensors["AUDIO_PCM"].reshape(-1)
            result = self.recognizer.transcribe(pcm, language, topk, request.is_cancelled)
            result["language"] = language
            reply = json.dumps(result, ensure_ascii=False).encode()
            output = pb_utils.Tensor("TRANSCRIPTS", np.array([reply], dtype=np.object_))
            return pb_utils.InferenceResponse([output])
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except EngineError as error:
            code, message = pb_utils.TritonError.UNAVAILABLE, str(error)
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"asr_sherpa: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
