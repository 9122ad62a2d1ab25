"""Triton glue of the `asr` model; the work is in asr_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from asr_boost import check_boost
from asr_decoder import EngineError
from asr_engine import Cancelled, ClientError, Recognizer, check_language


class TritonPythonModel:
    """One instance, one decoder."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load the decoder; a missing engine fails the load with its name."""
        parameters = json.loads(args["model_config"])["parameters"]
        self.languages: List[str] = parameters["languages"]["string_value"].split(",")
        try:
            self.recognizer = Recognizer()
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            language = check_language(tensors["LANG_ID"].flat[0], self.languages)
            topk = int(tensors["TOPK"].flat[0]) if "TOPK" in tensors else 1
            pcm = tensors["AUDIO_PCM"].reshape(-1)
            boost = check_boost(tensors["BOOST"].reshape(-1)) if "BOOST" in tensors else ()
            result = self.recognizer.transcribe(pcm, topk, request.is_cancelled, boost)
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
            pb_utils.Logger.log_error(f"asr: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
