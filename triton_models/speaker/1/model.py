"""Triton glue of the `speaker` model; the work is in speaker_engine.py."""

from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from speaker_engine import Cancelled, ClientError, Encoder, EngineError, to_windows


class TritonPythonModel:
    """One instance, one network."""

    def initialize(self, _args: Dict[str, str]) -> None:
        """Read the weights; a missing package fails the load with its name."""
        try:
            self.encoder = Encoder()
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself; one request's windows are the network's batch."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            pcm = request.inputs()[0].as_numpy()
            vectors = self.encoder.embed(to_windows(pcm), request.is_cancelled)
            output = pb_utils.Tensor("EMBEDDING", np.ascontiguousarray(vectors))
            return pb_utils.InferenceResponse([output])
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"speaker: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
