"""Triton glue of the `asr_stream` model; the work is in asr_stream_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from asr_stream_engine import Cancelled, ClientError, EngineError, Utterances, check_language


class TritonPythonModel:
    """One instance, several decoders, of which one works at a time."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load a decoder; a missing engine fails the load with its name."""
        config = json.loads(args["model_config"])
        self.languages: List[str] = config["parameters"]["languages"]["string_value"].split(",")
        places = int(config["sequence_batching"]["oldest"]["max_candidate_sequences"])
        try:
            self.utterances = Utterances(places)
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request: they are of different utterances."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            reply = json.dumps(self._step(tensors, request), ensure_ascii=False).encode()
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
            pb_utils.Logger.log_error(f"asr_stream: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))

    def _step(self, tensors: Dict[str, Any], request: Any) -> Dict[str, Any]:
        key = int(tensors["CORRID"].flat[0])
        if "CANCEL" in tensors and bool(tensors["CANCEL"].flat[0]):
            self.utterances.cancel(key)
            return {"text": "", "final": True, "duration": 0.0}
        language = check_language(tensors["LANG_ID"].flat[0], self.languages)
        if tensors["START"].flat[0]:
            self.utterances.start(key)
        pcm = tensors["AUDIO_PCM"].reshape(-1)
        result = self.utterances.step(key, pcm, request.is_cancelled)
        if tensors["END"].flat[0]:
            result = self.utterances.end(key)
        result["language"] = language
        return result
