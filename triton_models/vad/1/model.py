"""Triton glue of the `vad` model; the work is in vad_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from vad_engine import Cancelled, ClientError, Detector, EngineError, Options, check_rate, to_float


class TritonPythonModel:
    """One instance, one network."""

    def initialize(self, _args: Dict[str, str]) -> None:
        """Load the network; a missing engine fails the load with its name."""
        try:
            self.detector = Detector()
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            audio = to_float(tensors.pop("AUDIO_PCM", None), tensors.pop("WAVPATH", None))
            values = {name: tensor.flat[0] for name, tensor in tensors.items()}
            check_rate(int(values.get("SAMPLING_RATE", 16_000)))
            options = Options(
                float(values.get("THRESHOLD", 0.5)),
                int(values.get("MIN_SILENCE_DURATION_MS", 100)),
                int(values.get("SPEECH_PAD_MS", 30)),
                int(values.get("MIN_SPEECH_DURATION_MS", 100)),
            )
            found = self.detector.timestamps(audio, options, request.is_cancelled)
            reply = np.array([json.dumps(found).encode()], dtype=np.object_)
            return pb_utils.InferenceResponse([pb_utils.Tensor("TIMESTAMPS", reply)])
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"vad: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
